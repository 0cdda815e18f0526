"""Airflow's API server alone, with its pages: for whoever looks and runs nothing."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from local import airflow
from local.parts import PartFailed

STARTS_WITHIN_SECONDS = 120
POLL_SECONDS = 0.2


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Run it in an environment of `parts.served_at`; yield its URL once it answers. Raises PartFailed."""
    url = environment["AIRFLOW__API__BASE_URL"]
    process = airflow.start(environment, "api-server", log=log)
    try:
        _await_answer(url, process, log)
        yield url
    finally:
        airflow.stop(process)


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    latest = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < latest and process.poll() is None:
        try:
            if requests.get(f"{url}/api/v2/monitor/health", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(POLL_SECONDS)
    raise PartFailed(f"Airflow's API server did not start: see {log}")
