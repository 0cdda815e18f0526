"""The command as people run it: a process with an environment of its own, against the simulated internet."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from local.checkout import PLUGINS
from tests.conftest import API_KEY, SimulatedInternet

Environment = dict[str, str]
Run = Callable[..., CompletedProcess[str]]

COMMAND = Path(sys.executable).with_name("lapsewatch")
"""The installed console script."""
OURS: Environment = {"PYTHONPATH": str(PLUGINS)}
"""Has it run the code of this checkout, not of the one that it was installed from."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def installed_lapsewatch(home: Path) -> Run:
    """Run the command to its end, as installed, with no more in its environment than is given."""

    def run(*arguments: str, given: str | bytes = "", env: Environment | None = None) -> CompletedProcess[str]:
        done = subprocess.run(
            [str(COMMAND), *arguments],
            input=given.encode() if isinstance(given, str) else given,
            env=OURS | {"HOME": str(home), "PATH": os.environ["PATH"]} | (env or {}),
            capture_output=True,
            check=False,
            timeout=120,
        )
        return CompletedProcess(arguments, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def lapsewatch(installed_lapsewatch: Run) -> Run:
    """The command as most tests of a module run it; those of commands that take Airflow's connections fork it."""
    return installed_lapsewatch


@pytest.fixture(scope="session")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A process that has imported Airflow, and forks for each command: three seconds less for each."""
    environment = OURS | {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("forking.py"))],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.communicate()


@pytest.fixture
def forked_lapsewatch(forking: subprocess.Popen[str], home: Path, tmp_path: Path) -> Run:
    """Run the command to its end as `lapsewatch` does, in a process that is forked from one that has Airflow."""

    def run(*arguments: str, given: str = "", env: Environment | None = None) -> CompletedProcess[str]:
        files = [tmp_path / name for name in ("stdin", "stdout", "stderr")]
        for file, text in zip(files, (given, "", ""), strict=True):
            file.write_text(text)
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]} | (env or {})
        order = {"arguments": arguments, "environment": environment, "files": [str(file) for file in files]}
        assert forking.stdin is not None
        assert forking.stdout is not None
        forking.stdin.write(f"{json.dumps(order)}\n")
        forking.stdin.flush()
        code = int(forking.stdout.readline())
        return CompletedProcess(arguments, code, files[1].read_text(), files[2].read_text())

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
