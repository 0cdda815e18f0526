"""A daily run through Airflow itself: its parts are started as `make ui` starts them, with LocalExecutor."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile

from benchmarks.bench import Bench
from benchmarks.databases import engine_on, run_file
from benchmarks.internet import SEED, Internet, simulated, today
from benchmarks.measured import Measured
from local import airflow, parts, privileges
from local.checkout import local_folder
from local.demo import FIRST_ASSESSMENT
from local.postgres import Server
from simulator.user_database import seed
from simulator.world import World

DAG_ID = "check_domain_status"
ACCOUNTS = 20_000
DUE = 2_000
LATENCY_MS = 150
PER_SECOND, IN_FLIGHT = 500, 128
SECONDS = 60
ENDS_WITHIN_SECONDS = 600
POLL_SECONDS = 0.5


def measure(bench: Bench) -> Measured:
    """Make as many domains due, let Airflow run, and read from its own database how long the run took."""
    server = bench.databases.server
    status_url = _prepare(bench)
    with simulated(ACCOUNTS, LATENCY_MS) as internet:
        environment = _environment(server, internet)
        _migrate(server, environment)
        with parts.running(environment) as running:
            running.unpause(DAG_ID)
            run_id = _trigger(environment)
            seconds = _await_end(server, run_id, running)
    with psycopg.connect(status_url) as connection:
        query = """
            select state, planned_count, checked_count, unverified_count, rdap_call_count, stage_seconds
            from lapsewatch.run_metrics where run_id = %s
        """
        row = connection.execute(query, [run_id]).fetchone()
    if row is None or row[0] != "success":
        raise RuntimeError(f"the daily run failed: {row}")
    _, planned, checked, unverified, rdap_calls, stage_seconds = row
    return Measured(
        title=f"a daily run of {DUE:,} due domains at {LATENCY_MS} ms, Airflow included",
        method=(
            "the DAG triggered by hand under a real scheduler with LocalExecutor, from the moment it is queued to its"
            f" success, by Airflow's own records; the status API and RDAP answer after {LATENCY_MS} ms; a budget of"
            f" {PER_SECOND}/s and {IN_FLIGHT} places; registries are asked faster than the real ones would allow;"
            " no dry run"
        ),
        goal=f"under {SECONDS} s",
        reached=seconds < SECONDS and planned == DUE,
        figures={
            "seconds": round(seconds, 1),
            "of them in stages": round(sum(stage_seconds.values()), 1),
            "domains planned": planned,
            "domains with evidence": checked,
            "addresses unverified": unverified,
            "questions to registries": rdap_calls,
            **{f"{name}, s": round(spent, 1) for name, spent in stage_seconds.items()},
        },
    )


def _prepare(bench: Bench) -> str:
    """Make the three databases; return the status database's URL, with as many domains due as wanted."""
    server = bench.databases.server
    users_url, status_url = (
        server.recreate(airflow.USER_DATABASE),
        bench.databases.new_status_database(airflow.STATUS_DATABASE),
    )
    world = World(SEED, ACCOUNTS, today())
    seed(users_url, world)
    privileges.grant(users_url, server.cluster.password)
    privileges.list_popular(users_url, world.popular_projects)
    users = UserDatabase(engine_on(server.url(airflow.USER_DATABASE, privileges.READER)), load_profile("pypi"))
    engine = engine_on(status_url)
    extract_domains(Run("before", datetime.now(UTC)), users, engine)
    with engine.begin() as connection:
        run_file(connection, "make_due", domains=DUE)
    engine.dispose()
    return status_url


def _environment(server: Server, internet: Internet) -> dict[str, str]:
    """Return what `make ui` gives Airflow, with these databases, this internet and a home of its own."""
    outside = airflow.environment(
        server, internet_url=internet.url, resolver=("127.0.0.1", internet.dns_port), api_key=internet.key
    )
    status_api = json.loads(outside["AIRFLOW_CONN_FASTLY_API"])
    status_api["extra"] = {"requests_per_second": PER_SECOND, "max_in_flight": IN_FLIGHT}
    return outside | {
        "AIRFLOW_HOME": str(local_folder("bench/airflow")),
        "AIRFLOW_CONN_FASTLY_API": json.dumps(status_api),
    }


def _migrate(server: Server, environment: dict[str, str]) -> None:
    """Make Airflow's database anew: no run of before is in the way."""
    server.recreate(airflow.AIRFLOW_DATABASE)
    log = Path(environment["AIRFLOW_HOME"], "db-migrate.log")
    if airflow.start(environment, "db", "migrate", log=log).wait():
        raise RuntimeError(f"'airflow db migrate' failed: see {log}")


def _trigger(environment: dict[str, str]) -> str:
    conf = json.dumps({"dry_run": False, **FIRST_ASSESSMENT, "scope": "due"})
    run_id = "measured"
    log = Path(environment["AIRFLOW_HOME"], "trigger.log")
    command = ("dags", "trigger", DAG_ID, "--run-id", run_id, "--conf", conf)
    if airflow.start(environment, *command, log=log).wait():
        raise RuntimeError(f"the DAG could not be triggered: see {log}")
    return run_id


def _await_end(server: Server, run_id: str, running: parts.Parts) -> float:
    """Return the seconds from when the run was queued to when it ended well."""
    query = "select state, extract(epoch from end_date - queued_at) from dag_run where run_id = %s"
    latest = time.monotonic() + ENDS_WITHIN_SECONDS
    with psycopg.connect(server.url(airflow.AIRFLOW_DATABASE), autocommit=True) as connection:
        while time.monotonic() < latest:
            running.raise_if_one_stopped()
            row = connection.execute(query, [run_id]).fetchone()
            if row and row[0] in {"success", "failed"}:
                if row[0] == "failed":
                    raise RuntimeError("the daily run failed: see Airflow's logs")
                return float(row[1])
            time.sleep(POLL_SECONDS)
    raise RuntimeError("the daily run did not end")
