"""The command as people run it: a process with an environment of its own, against the simulated internet."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import API_KEY, SimulatedInternet

Environment = dict[str, str]
Run = Callable[..., CompletedProcess[str]]

COMMAND = Path(sys.executable).with_name("lapsewatch")
"""The installed console script."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def lapsewatch(home: Path) -> Run:
    """Run the command to its end, with no more in its environment than is given."""

    def run(*arguments: str, given: str | bytes = "", env: Environment | None = None) -> CompletedProcess[str]:
        done = subprocess.run(
            [str(COMMAND), *arguments],
            input=given.encode() if isinstance(given, str) else given,
            env={"HOME": str(home), "PATH": os.environ["PATH"]} | (env or {}),
            capture_output=True,
            check=False,
            timeout=120,
        )
        return CompletedProcess(arguments, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def keyless(internet: SimulatedInternet) -> Environment:
    """The environment of somebody without a key: the registries and DNS of the simulated internet."""
    host, port = internet.dns
    pace = {"requests_per_second": 200, "max_in_flight": 8}
    return {
        "AIRFLOW_CONN_RDAP": json.dumps(
            {"conn_type": "http", "host": f"{internet.url}/rdap/dns.json", "extra": json.dumps(pace)}
        ),
        "AIRFLOW_CONN_DNS": json.dumps({"conn_type": "dns", "host": host, "port": port}),
    }


def with_key(internet: SimulatedInternet, key: str = API_KEY) -> Environment:
    """The environment of somebody who has a key of Fastly's too."""
    extra = json.dumps({"requests_per_second": 500, "max_in_flight": 8})
    connection = {"conn_type": "http", "host": internet.url, "password": key, "extra": extra}
    return keyless(internet) | {"AIRFLOW_CONN_FASTLY_API": json.dumps(connection)}
