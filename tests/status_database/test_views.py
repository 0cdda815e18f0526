"""The views that the page and analysts read, on rows whose answer is known."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.stages.conftest import Row
from tests.status_database.records import insert, lapse, summed_up

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
READERS_VIEWS = (
    "status_by_phase",
    "phase_by_day",
    "expiring_soon",
    "unverified_by_day",
    "coverage",
    "calls_by_day",
    "questions_by_day",
    "check_history",
    "lapse_history",
    "accounts_at_risk",
)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def read(status: Engine, view: str, order: str = "1") -> list[Row]:
    """Read a view in a session that is not in UTC: days are, all the same."""
    with status.begin() as connection:
        connection.execute(text("set local time zone 'Asia/Tokyo'"))
        return [
            dict(row)
            for row in connection.execute(text(f"select * from lapsewatch.{view} order by {order}")).mappings()
        ]


def some(found: list[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in found]


@pytest.mark.parametrize("view", READERS_VIEWS)
def test_before_the_first_run_there_is_nothing_to_see(status: Engine, view: str) -> None:
    assert read(status, view) == []


def test_the_state_is_that_of_the_last_run_and_a_first_one_has_no_change(status: Engine) -> None:
    summed_up(status, "first", at(1), {"active": (5, 9)})
    assert read(status, "status_by_phase") == [
        {
            "phase": "active",
            "domain_count": 5,
            "address_count": 9,
            "entered_count": 0,
            "left_count": 0,
            "domain_change": None,
            "address_change": None,
            "run_id": "first",
            "summed_up_at": at(1),
        }
    ]


def test_change_is_against_the_last_run_of_an_earlier_day(status: Engine) -> None:
    summed_up(status, "two days before", at(1), {"active": (1, 1)})
    summed_up(status, "the day before", at(2, 23), {"active": (8, 20), "expired": (2, 3)})
    summed_up(status, "the same day", at(3, 1), {"active": (100, 100)})
    summed_up(status, "last", at(3, 2), {"active": (7, 18), "redemption": (1, 4)})
    summed_up(status, "uncounted", at(4), {}, in_use_count=None)
    found = some(read(status, "status_by_phase"), "phase", "domain_count", "domain_change", "address_change", "run_id")
    assert found == [
        ("active", 7, -1, -2, "last"),
        ("expired", 0, -2, -3, "last"),
        ("redemption", 1, 1, 4, "last"),
    ]


def test_the_last_run_of_each_utc_day_tells_how_the_day_ended(status: Engine) -> None:
    summed_up(status, "morning", at(1, 1), {"active": (5, 5), "held": (1, 1)})
    summed_up(status, "evening", at(1, 23), {"active": (6, 7)})
    summed_up(status, "next", at(2, 0), {"active": (7, 8)})
    assert [tuple(row.values()) for row in read(status, "phase_by_day")] == [
        (date(2026, 11, 1), "active", 6, 7),
        (date(2026, 11, 2), "active", 7, 8),
    ]


def test_coverage_is_a_share_of_what_is_in_use(status: Engine) -> None:
    summed_up(status, "first", at(1), {}, in_use_count=3, fresh_count=3)
    counts = {"in_use_count": 3, "fresh_count": 2, "never_checked_count": 1}
    summed_up(status, "last", at(2), {}, **counts, oldest_checked_at=at(1))
    assert read(status, "coverage") == [
        {
            "summed_up_at": at(2),
            "run_id": "last",
            **counts,
            "fresh_share": Decimal("0.6667"),
            "oldest_checked_at": at(1),
        }
    ]


def test_nothing_in_use_is_covered_to_no_share(status: Engine) -> None:
    summed_up(status, "first", at(1), {})
    assert some(read(status, "coverage"), "in_use_count", "fresh_share") == [(0, None)]


YEAR_ON = NOW + 360 * DAY
"""What a registry shows in grace: it has moved the date on."""

ON_ITS_WAY: dict[str, dict[str, Any]] = {
    # Paid for until five days ago, as the date says that was moved on, or the date that was not.
    "grace.com": {"phase": "expired", "expires_at": YEAR_ON, "expired_since": NOW - 4 * DAY},
    "grace.de": {"phase": "expired", "expires_at": NOW - 5 * DAY, "expired_since": NOW - 4 * DAY},
    "undated-grace.de": {"phase": "expired", "expired_since": NOW - 4 * DAY},
    # A date that was moved on by more than the year that grace gives tells nothing of what was paid for.
    "late-news.com": {"phase": "expired", "expires_at": NOW + 364 * DAY, "expired_since": NOW - 4 * DAY},
    "long-grace.com": {"phase": "expired", "expires_at": NOW + 321 * DAY, "expired_since": NOW - 43 * DAY},
    "redemption.com": {"phase": "redemption", "adverse_since": NOW - 2 * DAY, "expired_since": NOW - 40 * DAY},
    "contradicted.com": {"phase": "redemption", "checked_at": NOW - DAY},
    "soon.com": {"phase": "active", "expires_at": NOW + 29 * DAY},
    "held.com": {"phase": "held", "expires_at": NOW + 10 * DAY},
    "unheard.com": {"phase": "active", "expires_at": NOW - 3 * DAY},
}
STAYS: dict[str, dict[str, Any]] = {
    "later.com": {"phase": "active", "expires_at": NOW + 31 * DAY},
    "undated.com": {"phase": "active"},
    "long-silent.com": {"phase": "active", "expires_at": NOW - 46 * DAY},
    "deleting.com": {"phase": "pending_delete", "adverse_since": NOW - DAY, "expires_at": NOW + 10 * DAY},
    "released.com": {"phase": "released", "adverse_since": NOW - DAY, "expires_at": NOW + 10 * DAY},
    "taken.com": {"phase": "reregistered", "expires_at": NOW + 10 * DAY},
    "unused.com": {"phase": "expired", "expired_since": NOW - 4 * DAY, "address_count": 0},
    "unchecked.com": {},
}


def test_what_expires_soon_is_what_its_owner_can_still_renew(status: Engine) -> None:
    for domain, known in (ON_ITS_WAY | STAYS).items():
        insert(status, "domain_status", domain=domain, **known)
    found = {row["domain"]: row for row in read(status, "expiring_soon")}
    assert found.keys() == ON_ITS_WAY.keys()
    assert {
        domain: row["renewable_until"] and (row["renewable_until"] - NOW) // DAY for domain, row in found.items()
    } == {
        "grace.com": 25,
        "grace.de": 25,
        "undated-grace.de": 26,
        "late-news.com": 26,
        "long-grace.com": -14,
        "redemption.com": 28,
        "contradicted.com": -1,
        "soon.com": 59,
        "held.com": 40,
        "unheard.com": 27,
    }
    assert found["long-grace.com"]["days_left"] == found["contradicted.com"]["days_left"] == 0
    # Some moments have passed since.
    assert found["redemption.com"]["days_left"] == 27


def test_a_registration_without_an_end_can_still_be_read(status: Engine) -> None:
    """Some registries say 9999 for never; what comes later is in no year that Python knows."""
    end = datetime(9999, 12, 31, tzinfo=UTC)
    insert(status, "domain_status", domain="never.com", phase="active", expires_at=end)
    assert some(read(status, "domain_status"), "expires_at", "renewable_until") == [(end, end)]


def test_what_expires_soon_tells_of_who_hangs_on_it(status: Engine) -> None:
    known = ON_ITS_WAY["soon.com"] | {"registrar": "Registrar", "next_check_at": at(9)}
    insert(status, "domain_status", domain="soon.com", address_count=4, **known)
    insert(status, "domain_status", domain="other.com")
    for account, domain in {"1": "soon.com", "2": "soon.com", "3": "other.com"}.items():
        insert(status, "account_at_risk", account_key=account, domain=domain)
    assert read(status, "expiring_soon") == [
        {
            "domain": "soon.com",
            "phase": "active",
            "expires_at": NOW + 29 * DAY,
            "expired_since": None,
            "renewable_until": NOW + 59 * DAY,
            "days_left": 58,
            "address_count": 4,
            "single_address_account_count": 2,
            "registrar": "Registrar",
            "next_check_at": at(9),
        }
    ]


def test_addresses_are_counted_on_the_day_they_were_unverified_whatever_became_of_them(status: Engine) -> None:
    for domain in ("a.com", "b.com"):
        insert(status, "domain_status", domain=domain)
        lapse(status, domain, at(1))
    undone = {"undone_at": at(9), "undone_by": "alice", "undone_why": "an appeal"}
    for key, values in {
        "1": {"settled_at": at(2, 0)},
        "2": {"settled_at": at(2, 23), "state": "undone", **undone},
        "3": {"settled_at": at(2), "domain": "b.com", "state": "undoing", "undone_why": "an appeal"},
        "4": {"settled_at": at(3)},
        "5": {"settled_at": at(3), "state": "skipped"},
        "6": {"state": "planned"},
        "7": {"state": "awaiting"},
        "8": {"state": "rejected", "settled_at": at(3)},
        "1, dry": {"dry_run": True, "state": "dry_run", "planned_at": at(1, 23)},
        "2, dry": {"dry_run": True, "state": "dry_run", "planned_at": at(2, 0)},
    }.items():
        record = {"domain": "a.com", "lapsed_at": at(1), "planned_at": at(1)} | values
        insert(status, "address_unverification", address_key=key, **record)
    names = ("day", "address_count", "domain_count", "undone_count", "would_be_count")
    assert some(read(status, "unverified_by_day"), *names) == [
        (date(2026, 11, 1), 0, 0, 0, 1),
        (date(2026, 11, 2), 3, 2, 1, 1),
        (date(2026, 11, 3), 1, 1, 0, 0),
    ]


def test_calls_cost_their_list_price(status: Engine) -> None:
    insert(status, "call_spending", day=date(2026, 11, 1), call_count=1500)
    insert(status, "call_spending", day=date(2026, 11, 1), call_count=1, provider="domainr")
    assert some(read(status, "calls_by_day"), "provider", "day", "call_count", "cost_usd") == [
        ("domainr", date(2026, 11, 1), 1, Decimal("0.001")),
        ("fastly", date(2026, 11, 1), 1500, Decimal("1.500")),
    ]


def test_questions_are_counted_on_the_day_their_run_was_summed_up(status: Engine) -> None:
    for run_id, finished_at in {"one": at(1, 1), "two": at(1, 23), "three": at(2, 0)}.items():
        insert(status, "run_metrics", run_id=run_id, finished_at=finished_at, rdap_call_count=5, dns_call_count=2)
    assert some(read(status, "questions_by_day"), "day", "rdap_count", "dns_count") == [
        (date(2026, 11, 1), 10, 4),
        (date(2026, 11, 2), 5, 2),
    ]


def test_the_history_of_checks_tells_what_each_witness_said(status: Engine) -> None:
    registry = {"outcome": "found", "status": ["redemption period"], "expires_at": "2026-10-01T00:00:00+00:00"}
    silence = {"outcome": "no_evidence", "reason": "timeout"}
    check = {"domain": "a.com", "planned_at": at(1)}
    insert(status, "domain_check", **check, checked_at=at(1), flags=["expiring"], rdap=registry, dns=silence)
    insert(status, "domain_check", **check | {"planned_at": at(2)}, checked_at=at(2), rdap=silence)
    insert(status, "domain_check", **check | {"planned_at": at(3)}, checked_at=at(3))
    insert(status, "domain_check", domain="unasked.com", planned_at=at(1), outcome=None)
    names = ("checked_at", "flags", "rdap_outcome", "rdap_status", "expires_at", "registered_at", "dns_outcome")
    expires_at = datetime(2026, 10, 1, tzinfo=UTC)
    assert some(read(status, "check_history", "checked_at"), *names) == [
        (at(1), ["expiring"], "found", ["redemption period"], expires_at, None, "no_evidence"),
        (at(2), None, "no_evidence", [], None, None, None),
        (at(3), None, None, None, None, None, None),
    ]


def test_a_lapse_tells_how_it_ended(status: Engine) -> None:
    insert(status, "domain_status", domain="back.co.uk", registered_at=at(1) - 900 * DAY)
    ended = {"ended_at": at(13), "ended_run_id": "later", "end_reason": "renewed"}
    lapse(status, "back.co.uk", at(3), began_at=at(1), **ended)
    names = ("tld", "ended_at", "days_until_ended", "reregistered_at", "days_until_reregistered")
    assert some(read(status, "lapse_history"), *names) == [("uk", at(13), Decimal("12.0"), None, None)]


@pytest.mark.parametrize(
    ("registered_at", "reregistered", "days_until"),
    [
        (None, None, None),
        (at(1) - 900 * DAY, None, None),
        (at(25), at(25), Decimal("24.0")),
        # Some registries give the day only: it was seen gone at noon, and taken by then.
        (at(1, 0), at(1, 0), Decimal(0)),
    ],
)
def test_a_lapse_tells_when_the_domain_was_registered_anew(
    status: Engine, registered_at: datetime | None, reregistered: datetime | None, days_until: Decimal | None
) -> None:
    insert(status, "domain_status", domain="a.com", registered_at=registered_at)
    lapse(status, "a.com", at(3), began_at=at(1))
    found = some(read(status, "lapse_history"), "ended_at", "reregistered_at", "days_until_reregistered")
    assert found == [(None, reregistered, days_until)]


def test_a_registration_ended_the_newest_lapse_before_it(status: Engine) -> None:
    """A stranger's registration may lapse in its turn."""
    insert(status, "domain_status", domain="a.com", registered_at=at(20))
    lapse(status, "a.com", at(1))
    lapse(status, "a.com", at(10))
    lapse(status, "a.com", at(27))
    found = some(read(status, "lapse_history", "lapsed_at"), "lapsed_at", "reregistered_at", "days_until_reregistered")
    assert found == [(at(1), None, None), (at(10), at(20), Decimal("10.0")), (at(27), None, None)]


def test_of_a_lapse_that_nobody_saw_the_registration_is_known_and_not_how_long_it_took(status: Engine) -> None:
    insert(status, "domain_status", domain="a.com", registered_at=at(5))
    lapse(status, "a.com", at(5), kind="inferred", phase="reregistered")
    found = some(read(status, "lapse_history"), "reregistered_at", "days_until_reregistered")
    assert found == [(at(5), None)]


def test_a_lapse_tells_whom_it_cost_their_verification(status: Engine) -> None:
    insert(status, "domain_status", domain="a.com")
    for lapsed_at in (at(1), at(10)):
        lapse(status, "a.com", lapsed_at)
    for key, state in {"1": "unverified", "2": "undone", "3": "skipped", "4": "dry_run"}.items():
        values = {
            "state": state,
            "dry_run": state == "dry_run",
            "undone_why": "an appeal" if state == "undone" else None,
        }
        insert(status, "address_unverification", address_key=key, domain="a.com", lapsed_at=at(1), **values)
    found = some(read(status, "lapse_history", "lapsed_at"), "lapsed_at", "unverified_count", "undone_count")
    assert found == [(at(1), 2, 1), (at(10), 0, 0)]
