"""Airflow's parts, running: what `airflow standalone` starts, each with a log of its own."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from local import airflow
from local.installation import log_file
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
"""What is started, each with its options."""


class PartFailed(Exception):
    """A part of Airflow did not start, or stopped by itself; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Airflow's running parts: where its API and pages are, and the password of `USER` there.

    `processes` holds those that this process has started: none, where the parts ran already.
    """

    url: str
    password: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs begin, once Airflow has read it. Raises PartFailed where that takes too long."""
        credentials = {"username": USER, "password": self.password}
        token = requests.post(f"{self.url}/auth/token", json=credentials, timeout=30).json()["access_token"]
        latest = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < latest:
            self.raise_if_one_stopped()
            answer = requests.patch(
                f"{self.url}/api/v2/dags/{dag_id}",
                json={"is_paused": False},
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            if answer.ok:
                return
            time.sleep(POLL_SECONDS)
        raise PartFailed(f"Airflow did not read the DAG {dag_id}: see {log_file('dag-processor')}")

    def raise_if_one_stopped(self) -> None:
        """Raise PartFailed where a part has stopped by itself."""
        for part, process in self.processes.items():
            if process.poll() is not None:
                raise PartFailed(f"Airflow's {part} stopped by itself: see {log_file(part)}")


@contextmanager
def running(environment: dict[str, str]) -> Iterator[Parts]:
    """Run all parts, from when they are healthy; stop them at the end. Raises PartFailed."""
    url = f"http://127.0.0.1:{free_port()}"
    pool = ("pools", "set", "status_api", "4", "Checks in progress against the domain status API")
    if airflow.start(environment, *pool, log=log_file("pools")).wait():
        raise PartFailed(f"the pool could not be made: see {log_file('pools')}")
    serving = served_at(url, environment)
    processes = {part: airflow.start(serving, part, *options, log=log_file(part)) for part, options in PARTS.items()}
    try:
        _await_health(Parts(url, "", processes))
        _address(environment).write_text(url)
        yield Parts(url, password(environment), processes)
    finally:
        for process in processes.values():
            airflow.stop(process)


def served_at(url: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of Airflow's parts where its API server is to listen at a URL; `USER` may log in there."""
    return environment | {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": url.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords(environment)),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "true",
    }


def already_running(environment: dict[str, str]) -> Parts | None:
    """Return the parts that somebody else on this machine runs, or None where nobody does."""
    address = _address(environment)
    if not address.exists() or not _is_healthy(address.read_text()):
        return None
    return Parts(address.read_text(), password(environment))


def _await_health(parts: Parts) -> None:
    latest = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < latest:
        parts.raise_if_one_stopped()
        if _is_healthy(parts.url):
            return
        time.sleep(POLL_SECONDS)
    raise PartFailed(f"Airflow did not start: see the logs in {log_file('api-server').parent}")


def _is_healthy(url: str) -> bool:
    try:
        health = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
        return all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))
    except (requests.RequestException, ValueError, KeyError):
        return False


def _address(environment: dict[str, str]) -> Path:
    """Return the file that remembers where the parts were last run."""
    return Path(environment["AIRFLOW_HOME"], "address")


def _passwords(environment: dict[str, str]) -> Path:
    return Path(environment["AIRFLOW_HOME"], "passwords.json")


def password(environment: dict[str, str]) -> str:
    """Return the password of `USER`, which the API server made when it first started."""
    made: str = json.loads(_passwords(environment).read_text())[USER]
    return made
