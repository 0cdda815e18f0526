"""The bulk assessment as its user starts it: Airflow's own backfill, with a scheduler that is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local import airflow, postgres
from local.postgres import free_port
from simulator.lives import Life
from simulator.world import World
from tests.conftest import API_KEY, EPOCH, SimulatedInternet, days, seed_users, simulated

DAYS = 30
DOMAINS = 3000
RUNS_AT_A_TIME = 4
IN_FLIGHT = 8
LATENCY_MS = 100
SLOW_MS = 2500
"""While the scheduler is dead, a day's domains take a minute to ask about: what it began is still at it when the next
one begins it anew. Less than a task waits for its calls when it is told to end."""

FORGOTTEN_AFTER = 15
"""The seconds after which a dead scheduler is known to be dead."""

HAPPENS_WITHIN_SECONDS = 600
POLL_SECONDS = 0.5

BEING_ASKED = "select from task_instance where task_id = 'check_batch' and state = 'running'"
KNOWN_TO_BE_DEAD = "select from job where job_type = 'SchedulerJob' and state = 'failed'"

PREPARE = """
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.dag import DagModel
from airflow.models.pool import Pool
from airflow.utils.db import initdb
from airflow.utils.session import create_session

initdb()
Pool.create_or_update_pool("status_api", slots=4, description="", include_deferred=False)
with create_session() as session:
    manager = DagBundlesManager()
    manager.sync_bundles_to_db(session=session)
    session.commit()
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        found = BundleDagBag(bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        sync_bag_to_db(found, bundle.name, bundle_version=None, session=session)
"""
"""What `airflow db migrate`, `airflow pools set` and the DAG processor do, in one process: each takes ten seconds."""


@dataclass
class Airflow:
    """Airflow on the session's PostgreSQL: its commands, and its parts as processes that can be killed."""

    environment: dict[str, str]
    database_url: str
    logs: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command (`airflow` or `lapsewatch`) in a process group of its own."""
        log = self.logs / f"{len(self.processes)}-{arguments[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def states(self) -> dict[str, int]:
        """Return how many runs of the backfill are in each state."""
        return dict(self.query("select state, count(*) from dag_run where run_type = 'backfill' group by 1"))

    def query(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()

    def log(self) -> str:
        return "\n".join(file.read_text()[-3000:] for file in sorted(self.logs.iterdir()))

    def prepare(self) -> None:
        """Make Airflow's database, with the pool and the DAG in it."""
        subprocess.run([sys.executable, "-c", PREPARE], env=self.environment, check=True)

    def wait_until(self, happened: Callable[[], object]) -> None:
        latest = time.monotonic() + HAPPENS_WITHIN_SECONDS
        while not happened():
            assert time.monotonic() < latest, self.log()
            time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Installation:
    """The world of the test: 3,000 domains, each with an account, and an Airflow that is to be started."""

    airflow: Airflow
    internet: SimulatedInternet
    status_url: str

    def status(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.status_url) as connection:
            return connection.execute(query).fetchall()

    def asked(self) -> dict[str, int]:
        """Return how often the status API was asked about each domain."""
        by_domain: dict[str, int] = self.internet.calls()["by_domain"]
        return by_domain


@pytest.fixture
def installation(
    postgres_server: postgres.Server, status_url: str, user_url: str, tmp_path: Path
) -> Iterator[Installation]:
    world = World.of({f"alive{number}.com": Life.active(EPOCH + days(300)) for number in range(DOMAINS)}, EPOCH)
    seed_users(user_url, world)
    database_url = postgres_server.recreate(airflow.AIRFLOW_DATABASE)
    with psycopg.connect(database_url, autocommit=True) as connection:
        # The workers of a killed scheduler hold its connection open, and with it the locks of its last transaction.
        connection.execute(f"alter database airflow set idle_in_transaction_session_timeout = '{FORGOTTEN_AFTER}s'")
    with simulated(world, latency_ms=LATENCY_MS) as internet:
        running = Airflow(environment(postgres_server, status_url, internet, tmp_path), database_url, tmp_path / "logs")
        running.logs.mkdir()
        try:
            yield Installation(running, internet, status_url)
        finally:
            for process in running.processes:
                airflow.stop(process)
            postgres_server.recreate(airflow.AIRFLOW_DATABASE)


def environment(server: postgres.Server, status_url: str, internet: SimulatedInternet, folder: Path) -> dict[str, str]:
    """The local installation's, with a home of its own, secrets that processes that start at once agree on, and a
    scheduler that looks often and misses a dead one soon."""
    api_url = f"http://127.0.0.1:{free_port()}"
    status_api = {
        "conn_type": "http",
        "host": internet.url,
        "password": API_KEY,
        "extra": {"requests_per_second": 500, "max_in_flight": IN_FLIGHT},
    }
    local = airflow.environment(server, internet_url=internet.url, resolver=internet.dns, api_key=API_KEY)
    return local | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW_CONN_STATUS_DB": status_url.replace("postgresql://", "postgres://"),
        "AIRFLOW_CONN_FASTLY_API": json.dumps(status_api),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": api_url.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": api_url,
        "AIRFLOW__API__SECRET_KEY": "s" * 64,
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{api_url}/execution/",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": str(FORGOTTEN_AFTER),
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    }


def test_thirty_days_ask_about_every_domain_once_though_the_scheduler_is_killed(installation: Installation) -> None:
    running = installation.airflow
    running.prepare()
    running.start("airflow", "api-server")
    # Up to today, so that the backfill has the daily run of today too, and no other run is there.
    today = datetime.now(UTC).date()
    between = ("--from", str(today - timedelta(days=DAYS - 1)), "--to", str(today))
    how = ("--max-active-runs", str(RUNS_AT_A_TIME), "--conf", json.dumps({"dry_run": False, "max_rdap_calls": 0}))
    following = running.start("lapsewatch", "backfill", *between, *how)
    running.wait_until(lambda: running.states() == {"queued": DAYS})

    scheduler = running.start("airflow", "scheduler", "--skip-serve-logs")
    running.wait_until(lambda: len(installation.asked()) > DOMAINS / 3)
    installation.internet.change_settings(latency_ms=SLOW_MS)
    running.wait_until(lambda: running.query(BEING_ASKED))
    os.kill(scheduler.pid, signal.SIGKILL)
    assert scheduler.wait() == -signal.SIGKILL
    assert len(installation.asked()) < DOMAINS, "it was to be killed in the middle"
    running.start("airflow", "scheduler", "--skip-serve-logs")
    running.wait_until(lambda: running.query(KNOWN_TO_BE_DEAD))
    installation.internet.change_settings(latency_ms=LATENCY_MS)
    assert following.wait(HAPPENS_WITHIN_SECONDS) == 0, running.log()

    assert f"{DAYS} of {DAYS} runs succeeded" in running.log()
    asked = installation.asked()
    assert len(asked) == DOMAINS
    assert set(asked.values()) == {1}
    assert installation.status("select count(*) from lapsewatch.domain_status where checked_at is null") == [(0,)]
