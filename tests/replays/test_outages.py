"""A bad day of somebody else's must not become a bad day for the users."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.core.errors import RunStopped

from simulator.lives import Life
from tests.replays.conftest import DAY, MakeReplay, Replay
from tests.stages.conftest import rows

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
VERIFIED = MONDAY - timedelta(days=1000)
LIVES = {f"alive{number}.com": Life.active(MONDAY + 300 * DAY, VERIFIED - 900 * DAY) for number in range(40)} | {
    f"alive{number}.ch": Life.active(MONDAY + 300 * DAY, VERIFIED - 900 * DAY) for number in range(10)
}
LAPSED = {
    "lapsed.com": Life.lapsing(MONDAY - 50 * DAY, VERIFIED - 900 * DAY),
    "lapsed.ch": Life.lapsing(MONDAY - 50 * DAY, VERIFIED - 900 * DAY),
}
REGISTRIES_DOWN = {"kind": "server_error", "service": "rdap", "status": 503}
ALL_UNKNOWN = {"kind": "unknown_storm"}
ALL_INACTIVE = {"kind": "false_inactive"}
RESOLVER_DOWN = {"kind": "servfail", "service": "dns"}
RESOLVER_LIES = {"kind": "nxdomain", "service": "dns"}


@pytest.mark.parametrize(
    ("lives", "faults"),
    [
        (LIVES | LAPSED, [ALL_UNKNOWN, REGISTRIES_DOWN]),
        (LIVES | LAPSED, [ALL_UNKNOWN, REGISTRIES_DOWN, RESOLVER_DOWN]),
        (LIVES | LAPSED, [ALL_UNKNOWN, REGISTRIES_DOWN, RESOLVER_LIES]),
        (LIVES, [RESOLVER_DOWN]),
        (LIVES, [RESOLVER_LIES]),
        (LIVES, [ALL_INACTIVE]),
        (LIVES, [ALL_INACTIVE, REGISTRIES_DOWN]),
    ],
    ids=lambda value: (
        " ".join(f"{rule.get('service', 'api')}:{rule['kind']}" for rule in value) if isinstance(value, list) else ""
    ),
)
def test_an_outage_of_three_days_unverifies_nobody(
    replay: MakeReplay, lives: dict[str, Life], faults: list[dict[str, object]]
) -> None:
    with replay(lives, MONDAY, dict.fromkeys(lives, VERIFIED)) as service:
        service.internet.order_faults(*faults)
        for number in range(3):
            run_or_stop(service, MONDAY + number * DAY)
        assert service.unverified() == set()
        assert service.unverifications() == []
        assert service.lapses() == []
        # All is well again: what had really lapsed is found, and nothing of the bad days counts.
        service.internet.order_faults()
        service.run(MONDAY + 3 * DAY)
        assert service.unverified() == {f"owner@{domain}" for domain in lives.keys() & LAPSED.keys()}
        well = rows(
            service.status,
            "select distinct phase, adverse_since from lapsewatch.domain_status where domain like 'alive%'",
        )
        assert well == [{"phase": "active", "adverse_since": None}]


def run_or_stop(service: Replay, day: datetime) -> None:
    """Run a day; that the audit stops it is one of the two ways in which nothing may happen to the users."""
    with suppress(RunStopped):
        service.run(day)


def test_a_resolver_that_denies_everything_takes_no_paid_owner_in_grace(replay: MakeReplay) -> None:
    # Registries show the grace period of every domain that they renew by themselves, paid or not.
    in_grace = {
        f"grace{number}.com": Life.lapsing(MONDAY - 10 * DAY, VERIFIED - 900 * DAY).renewed(MONDAY + 10 * DAY)
        for number in range(10)
    }
    with replay(in_grace | LIVES, MONDAY, dict.fromkeys(in_grace | LIVES, VERIFIED)) as service:
        service.internet.order_faults(RESOLVER_LIES)
        for number in range(2):
            run_or_stop(service, MONDAY + number * DAY)
        assert service.unverified() == set()


def test_where_no_registry_can_be_asked_the_same_reading_a_day_later_counts(replay: MakeReplay) -> None:
    with replay(LIVES | LAPSED, MONDAY, dict.fromkeys(LIVES | LAPSED, VERIFIED)) as service:
        service.internet.order_faults(REGISTRIES_DOWN, RESOLVER_DOWN)
        service.run(MONDAY)
        assert service.unverified() == set()
        service.run(MONDAY + DAY)
        assert service.unverified() == {"owner@lapsed.com", "owner@lapsed.ch"}
        assert all("an earlier reading" in row["reason"] for row in service.unverifications())


def test_where_there_is_no_registry_to_ask_dns_is_the_second_witness(replay: MakeReplay) -> None:
    with replay(LAPSED, MONDAY, dict.fromkeys(LAPSED, VERIFIED)) as service:
        service.run(MONDAY, domains=("lapsed.ch",), scope="list")
        [taken] = service.unverifications()
        assert "say the status API and DNS" in taken["reason"]
        assert taken["evidence"]["rdap"] == {"outcome": "no_evidence", "reason": "no_server"}
