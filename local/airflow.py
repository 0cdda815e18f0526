"""Airflow over the local databases: its environment, and its commands as processes of their own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from local.checkout import DAGS, PLUGINS, ROOT, local_folder
from local.postgres import SUPERUSER, Server
from local.privileges import READER, UNVERIFIER

USER_DATABASE = "users"
STATUS_DATABASE = "lapsewatch"
AIRFLOW_DATABASE = "airflow"


def connection(server: Server, database: str, login: str = SUPERUSER, **extra: str) -> str:
    """Return an Airflow connection to a local database, as JSON."""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": server.port,
            "login": login,
            "password": server.cluster.password,
            "schema": database,
            "extra": extra,
        }
    )


def environment(server: Server, *, internet_url: str, resolver: tuple[str, int], api_key: str) -> dict[str, str]:
    """Return the environment in which every `airflow` command sees this checkout, these databases and this internet.

    `internet_url` is where the simulator serves HTTP, `resolver` where it serves DNS (address and port).
    """
    status_api = {
        "conn_type": "http",
        "host": internet_url,
        "password": api_key,
        "extra": {"requests_per_second": 1000, "max_in_flight": 32},
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return inherited | {
        "AIRFLOW_HOME": str(local_folder("airflow")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # On two cores more only starves the API server that the tasks talk to.
        "AIRFLOW__CORE__PARALLELISM": "6",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url(AIRFLOW_DATABASE).replace(
            "postgresql://", "postgresql+psycopg://"
        ),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "20",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": "40",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
        # `airflow dags test` fails at the end of any run with a deadline (Airflow's issue 73428).
        "AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS": "0",
        "AIRFLOW_CONN_USER_DB": connection(server, USER_DATABASE, READER, profile="pypi"),
        "AIRFLOW_CONN_USER_DB_UNVERIFIER": connection(server, USER_DATABASE, UNVERIFIER),
        "AIRFLOW_CONN_STATUS_DB": connection(server, STATUS_DATABASE),
        "AIRFLOW_CONN_FASTLY_API": json.dumps(status_api),
        "AIRFLOW_CONN_DOMAINR_API": json.dumps(status_api),
        "AIRFLOW_CONN_RDAP": json.dumps(
            {
                "conn_type": "http",
                "host": f"{internet_url}/rdap/dns.json",
                # Real registries are asked once a second; this one is ours.
                "extra": {"requests_per_second": 1000, "max_in_flight": 16},
            }
        ),
        "AIRFLOW_CONN_DNS": json.dumps({"conn_type": "generic", "host": resolver[0], "port": resolver[1]}),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(PLUGINS)]),
    }


def start(environment: dict[str, str], *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """Start an `airflow` command in a process group of its own, with its output in a file."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", *arguments],
            env=environment,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a command with everything it started: some parts of Airflow leave their children alive."""
    for stop_signal in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, stop_signal)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
