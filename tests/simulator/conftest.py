"""A small world by hand, served on loopback: one domain in every phase of its life."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dns.message
import dns.query
import pytest
import requests

from simulator.app import create_app
from simulator.clock import Clock
from simulator.lives import Life, Phase
from simulator.resolver.server import serving_dns
from simulator.server import serving
from simulator.world import World

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "simulated-key"


@dataclass(frozen=True)
class Served:
    """A running simulator, and how to talk to it."""

    url: str
    clock: Clock
    dns: tuple[str, int]

    def fastly(self, domain: str | None = None, key: str | None = KEY, **parameters: Any) -> requests.Response:
        return requests.get(
            f"{self.url}/domain-management/v1/tools/status",
            params={"domain": domain, **parameters},
            headers={"Fastly-Key": key} if key else {},
            timeout=5,
        )

    def domainr(self, domain: str | None = None, key: str | None = KEY, **parameters: Any) -> requests.Response:
        return requests.get(
            f"{self.url}/v2/status", params={"domain": domain, "client_id": key, **parameters}, timeout=5
        )

    def status_of(self, domain: str) -> str:
        status: str = self.fastly(domain).json()["status"]
        return status

    def rdap(self, server: str, domain: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}/rdap/{server}/domain/{domain}", **{"timeout": 5, **options})

    def bootstrap(self) -> requests.Response:
        return requests.get(f"{self.url}/rdap/dns.json", timeout=5)

    def dig(
        self, name: str, kind: str, ask: Callable[..., dns.message.Message] = dns.query.udp, timeout: float = 5
    ) -> dns.message.Message:
        host, port = self.dns
        return ask(dns.message.make_query(name, kind), host, timeout=timeout, port=port)

    def order(self, *rules: dict[str, Any]) -> None:
        requests.put(f"{self.url}/_simulator/faults", json=list(rules), timeout=5).raise_for_status()

    def calls(self) -> dict[str, Any]:
        calls: dict[str, Any] = requests.get(f"{self.url}/_simulator/calls", timeout=5).json()
        return calls


@contextmanager
def simulating(world: World, **settings: Any) -> Iterator[Served]:
    """Serves a world over HTTP and DNS."""
    clock = Clock(EPOCH)
    app = create_app(world, clock, api_key=KEY, **settings)
    with serving(app) as url, serving_dns(app.state.dns) as address:
        yield Served(url, clock, address)


@pytest.fixture(scope="session")
def lives() -> dict[Phase, tuple[str, Life]]:
    """A domain for every phase, in which it is at the epoch."""
    return {
        Phase.ACTIVE: ("kept.com", Life.active(expires=EPOCH + 200 * DAY)),
        Phase.HELD: (
            "held.com",
            Life.active(expires=EPOCH + 200 * DAY).held(at=EPOCH - DAY, until=EPOCH + 5 * DAY),
        ),
        Phase.GRACE: ("late.com", Life.lapsing(expires=EPOCH - 10 * DAY)),
        Phase.REDEMPTION: ("redeemable.com", Life.lapsing(expires=EPOCH - 50 * DAY)),
        Phase.PENDING_DELETE: ("doomed.com", Life.lapsing(expires=EPOCH - 72 * DAY)),
        Phase.RELEASED: ("gone.com", Life.lapsing(expires=EPOCH - 100 * DAY)),
    }


@pytest.fixture(scope="session")
def world(lives: dict[Phase, tuple[str, Life]]) -> World:
    return World.of(dict(lives.values()), EPOCH)


@pytest.fixture(scope="session")
def running(world: World) -> Iterator[Served]:
    with simulating(world) as served:
        yield served


@pytest.fixture
def simulator(running: Served) -> Served:
    """The running simulator, as it was when it started."""
    control = f"{running.url}/_simulator"
    running.clock.set(EPOCH)
    requests.delete(f"{control}/faults", timeout=5).raise_for_status()
    requests.delete(f"{control}/calls", timeout=5).raise_for_status()
    unhurried = {"latency_ms": 0, "requests_per_second": None}
    requests.put(f"{control}/settings", json=unhurried, timeout=5).raise_for_status()
    return running


@pytest.fixture(scope="session")
def demo_world() -> World:
    """The world of the demo, at its default size."""
    return World("lapsewatch", 20_000, EPOCH)
