"""The simulated internet in a process of its own, as the real one is."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from local.checkout import PLUGINS, ROOT
from local.postgres import free_port

SEED = "lapsewatch"
STARTS_WITHIN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Internet:
    """A running simulator: where it is, the key that it takes, and what its world is made from."""

    url: str
    key: str
    dns_port: int
    accounts: int
    epoch: datetime

    def calls(self) -> dict[str, Any]:
        """Return what the status API has counted so far."""
        counted: dict[str, Any] = requests.get(f"{self.url}/_simulator/calls", timeout=60).json()
        return counted

    def forget_calls(self) -> None:
        """Count anew."""
        requests.delete(f"{self.url}/_simulator/calls", timeout=60).raise_for_status()


def today() -> datetime:
    """Return the beginning of the day: worlds begin there, so that their dates make sense beside the real ones."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@contextmanager
def simulated(accounts: int, latency_ms: float, requests_per_second: float | None = None) -> Iterator[Internet]:
    """Serve the world of so many accounts, every answer after a latency, so many calls a second (None: any)."""
    port, dns_port, epoch, key = free_port(), free_port(), today(), secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "simulator", "serve", "--seed", SEED, "--accounts", str(accounts)]
    command += ["--epoch", epoch.isoformat(), "--port", str(port), "--dns-port", str(dns_port)]
    command += ["--latency-ms", str(latency_ms)]
    if requests_per_second:
        command += ["--requests-per-second", str(requests_per_second)]
    environment = os.environ | {
        "SIMULATOR_API_KEY": key,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(PLUGINS)]),
    }
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        internet = Internet(f"http://127.0.0.1:{port}", key, dns_port, accounts, epoch)
        _await(internet, process)
        yield internet
    finally:
        process.terminate()
        process.wait()


def _await(internet: Internet, process: subprocess.Popen[bytes]) -> None:
    latest = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            internet.calls()
        except requests.RequestException:
            if process.poll() is not None or time.monotonic() > latest:
                raise RuntimeError("the simulator did not start") from None
            time.sleep(0.1)
        else:
            return
