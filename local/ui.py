"""Airflow's own UI on 127.0.0.1, over the demo's databases and a running simulator, until it is interrupted."""

import json
import subprocess
import time
from pathlib import Path

import psycopg
import requests
from rich.console import Console

from local import airflow, installation
from local.installation import Installation, log_file
from local.postgres import free_port

USER = "admin"
STARTS_WITHIN_SECONDS = 180
POLL_SECONDS = 1

PARTS = {
    "api-server": (),
    "dag-processor": (),
    # Their log servers would listen on every interface; here the API server finds the logs on the disk.
    "scheduler": ("--skip-serve-logs",),
    "triggerer": ("--skip-serve-logs",),
}
"""What `airflow standalone` starts, each with its options."""

console = Console(highlight=False)


class UiFailed(Exception):
    """Airflow did not start; the message says where to look."""


def serve(accounts: int) -> None:
    """Serve until Ctrl-C. A user database that is there already is kept, with what was unverified in it."""
    with installation.running(accounts) as installed:
        console.print("Preparing the databases ...")
        installed.migrate_airflow()
        installed.migrate_status_database()
        if not _has_users(installed):
            installed.seed_users()
        _serve_airflow(installed)


def _has_users(installed: Installation) -> bool:
    with psycopg.connect(installed.server.create_if_missing(airflow.USER_DATABASE)) as connection:
        found = connection.execute("select to_regclass('lapsewatch.account')").fetchone()
        return found is not None and found[0] is not None


def _serve_airflow(installed: Installation) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    passwords = Path(installed.airflow["AIRFLOW_HOME"]) / "passwords.json"
    environment = installed.airflow | {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "true",
    }
    pool = ("pools", "set", "status_api", "4", "Checks in progress against the domain status API")
    if airflow.start(environment, *pool, log=log_file("pools")).wait():
        raise UiFailed(f"the pool could not be made: see {log_file('pools')}")
    parts = {part: airflow.start(environment, part, *options, log=log_file(part)) for part, options in PARTS.items()}
    try:
        with console.status("Airflow starts (about half a minute) ..."):
            _await(f"{url}/api/v2/monitor/health", parts)
        password = json.loads(passwords.read_text())[USER]
        console.print(f"Airflow is at [bold]{url}[/], user [bold]{USER}[/], password [bold]{password}[/]")
        console.print("Trigger check_domain_status there. Ctrl-C stops everything.")
        while True:
            _raise_if_one_stopped(parts)
            time.sleep(POLL_SECONDS)
    finally:
        console.print("Stopping ...")
        for process in parts.values():
            airflow.stop(process)


def _await(health_url: str, parts: dict[str, subprocess.Popen[bytes]]) -> None:
    latest = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < latest:
        _raise_if_one_stopped(parts)
        try:
            health = requests.get(health_url, timeout=5).json()
            if all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor")):
                return
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(POLL_SECONDS)
    raise UiFailed(f"Airflow did not start: see the logs in {log_file('api-server').parent}")


def _raise_if_one_stopped(parts: dict[str, subprocess.Popen[bytes]]) -> None:
    for part, process in parts.items():
        if process.poll() is not None:
            raise UiFailed(f"Airflow's {part} stopped by itself: see {log_file(part)}")
