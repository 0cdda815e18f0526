"""A hundred thousand users: what is asked takes as long as looking at them, not longer by orders of magnitude."""

from collections.abc import Callable
from time import perf_counter

from tests.contracts.profiles.system import System

USERS = 100_000


def seconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def is_within(bound: float, act: Callable[[], object]) -> bool:
    """Whether the fastest of three takes no longer than so many seconds: what others do here makes some slower."""
    return any(seconds(act) < bound for _ in range(3))


def test_a_hundred_thousand(system: System) -> None:
    system.execute(system.fill, count=USERS)
    system.gather_statistics()
    hosts = [f"host{n}.example" for n in range(50)]
    scan = min(seconds(lambda: system.execute(system.scan)) for _ in range(3))

    assert sum(system.counts().values()) == USERS
    assert is_within(system.times_a_scan["hosts"] * scan, lambda: list(system.reader.hosts()))

    judged = system.judge(*hosts)
    assert len(judged) == USERS // 5000 * len(hosts)
    assert is_within(system.times_a_scan["addresses"] * scan, lambda: system.judge(*hosts))

    assert is_within(system.times_a_scan["accounts"] * scan, lambda: list(system.reader.sole_addresses()))

    def take_and_give() -> None:
        assert len(system.users.unverify(judged)) == len(judged)
        assert len(system.users.unverified(judged)) == len(judged)
        assert len(system.users.standings(judged)) == len(judged)
        assert len(system.users.reverify(judged)) == len(judged)

    # By their keys: a scan for each would be a thousand times one.
    assert is_within(system.times_a_scan["changes"] * scan, take_and_give)
