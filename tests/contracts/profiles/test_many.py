"""A hundred thousand users: what is asked takes as long as looking at them, not longer by orders of magnitude."""

from collections.abc import Callable
from time import perf_counter

from tests.contracts.profiles.system import System

USERS = 100_000


def fastest(act: Callable[[], object]) -> float:
    """Seconds that the fastest of three takes: what others do on this machine makes some slower."""
    taken = []
    for _ in range(3):
        began = perf_counter()
        act()
        taken.append(perf_counter() - began)
    return min(taken)


def test_a_hundred_thousand(system: System) -> None:
    system.execute(system.fill, count=USERS)
    system.gather_statistics()
    hosts = [f"host{n}.example" for n in range(50)]
    scan = fastest(lambda: system.execute(system.scan))

    assert sum(system.counts().values()) == USERS
    assert fastest(lambda: list(system.reader.hosts())) < system.times_a_scan["hosts"] * scan

    judged = system.judge(*hosts)
    assert len(judged) == USERS // 5000 * len(hosts)
    assert fastest(lambda: system.judge(*hosts)) < system.times_a_scan["addresses"] * scan

    assert fastest(lambda: list(system.reader.sole_addresses())) < system.times_a_scan["accounts"] * scan

    def take_and_give() -> None:
        assert len(system.users.unverify(judged)) == len(judged)
        assert len(system.users.unverified(judged)) == len(judged)
        assert len(system.users.standings(judged)) == len(judged)
        assert len(system.users.reverify(judged)) == len(judged)

    # By their keys: a scan for each would be a thousand times one.
    assert fastest(take_and_give) < system.times_a_scan["changes"] * scan
