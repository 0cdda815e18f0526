"""The sample queries, each as an analyst runs it, on rows whose answer is known."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from lapsewatch.status_database.statements import SQL_FOLDER
from sqlalchemy import Engine

from tests.status_database.records import insert, lapse, summed_up

EXAMPLES = SQL_FOLDER / "examples"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

Answer = list[tuple[Any, ...]]


@pytest.fixture
def now(status: Engine) -> datetime:
    """When the rows were written: what has happened is told from here."""
    now = datetime.now(UTC)
    add_domains(status, now)
    add_unverifications(status, now)
    add_checks(status, now)
    add_runs(status)
    return now


def add_domains(status: Engine, now: datetime) -> None:
    for domain, known in {
        "fine.com": {"address_count": 10, "checked_at": now - HOUR},
        "hidden.net": {"checked_at": now - 3 * DAY, "registered_at": now - 3 * DAY},
        "stale.com": {"address_count": 3, "checked_at": now - 8 * DAY, "expires_at": now + 10 * DAY},
        "old.com": {"checked_at": now - 40 * DAY},
        "never.net": {"address_count": 2},
        "gone.com": {"address_count": 0, "checked_at": now, "lapsed_at": now - 5 * DAY},
        "lost.org": {"address_count": 0, "checked_at": now},
        "back.com": {"address_count": 0, "checked_at": now},
        "ancient.de": {"address_count": 0, "checked_at": now},
        "taken.org": {"address_count": 0, "registered_at": now - 60 * DAY},
        "quickly.org": {"address_count": 0, "registered_at": now - 90 * DAY},
        "slowly.org": {"address_count": 0, "registered_at": now - 10 * DAY},
    }.items():
        insert(status, "domain_status", domain=domain, **{"phase": "active", **known})
    lapse(status, "gone.com", now - 5 * DAY, began_at=now - 6 * DAY, phase="released")
    lapse(status, "hidden.net", now - 3 * DAY, kind="inferred", phase="reregistered")
    ended = {"ended_at": now - 190 * DAY, "end_reason": "renewed"}
    lapse(status, "back.com", now - 200 * DAY, **ended)
    lapse(status, "ancient.de", now - 400 * DAY)
    for domain in ("lost.org", "taken.org", "quickly.org", "slowly.org"):
        lapse(status, domain, now - 100 * DAY)
    for account, (domain, values) in {
        "careless": ("stale.com", {"has_second_factor": False}),
        "popular": ("stale.com", {"has_second_factor": True, "owned_count": 3, "owns_popular": True}),
        "too late": ("gone.com", {}),
    }.items():
        insert(status, "account_at_risk", account_key=account, domain=domain, **values)


def add_unverifications(status: Engine, now: datetime) -> None:
    """Twenty for lapses in redemption after 1 to 19 hours and 48, three for a released domain, one for a stranger's."""

    def take(key: str, domain: str, lapsed_at: datetime, settled_at: datetime, **values: Any) -> None:
        known = {"address_key": key, "domain": domain, "lapsed_at": lapsed_at, "settled_at": settled_at}
        insert(status, "address_unverification", **known | values)

    def undone(after: timedelta, by: str, why: str) -> dict[str, Any]:
        return {"state": "undone", "undone_at": after, "undone_by": by, "undone_why": why}

    for hours in range(1, 20):
        settled_at = now - 100 * DAY + hours * HOUR
        given_back = undone(settled_at + DAY, "bob", "a mistake") if hours == 1 else {}
        take(f"{hours}", "lost.org", now - 100 * DAY, settled_at, **given_back)
    take("20", "taken.org", now - 100 * DAY, now - 98 * DAY)
    for key, hours, days in (("21", 12, 2), ("22", 30, 4), ("23", 36, None)):
        settled_at = now - 6 * DAY + hours * HOUR
        given_back = undone(settled_at + days * DAY, "alice", "an appeal") if days else {}
        take(key, "gone.com", now - 5 * DAY, settled_at, **given_back)
    take("24", "hidden.net", now - 3 * DAY, now - 3 * DAY + 10 * HOUR)
    take("25", "ancient.de", now - 400 * DAY, now - 399 * DAY)
    take("26", "gone.com", now - 5 * DAY, now, state="skipped")
    take("27", "gone.com", now - 5 * DAY, now, state="dry_run", dry_run=True)


def add_checks(status: Engine, now: datetime) -> None:
    def check(domain: str, days_ago: int, **values: Any) -> None:
        then = now - days_ago * DAY
        insert(status, "domain_check", **{"domain": domain, "planned_at": then, "checked_at": then} | values)

    of_registry = {"source": "registry", "batch": None, "provider": None}
    check("fine.com", 40)
    check("fine.com", 31, phase="expired")
    check("fine.com", 29, phase="expired")
    check("fine.com", 25, phase="released", quarantine_reason="odd")
    check("fine.com", 20)
    check("stale.com", 40)
    check("stale.com", 31, phase="held")
    check("gone.com", 10, outcome="no_evidence", no_evidence_reason="timeout", phase="unknown")
    check("never.net", 1, outcome=None, checked_at=None)
    for days_ago, reason in ((4, "server_error"), (3, "timeout"), (2, "server_error")):
        silence = {"outcome": "no_evidence", "reason": reason}
        check("old.com", days_ago, **of_registry, outcome="no_evidence", no_evidence_reason=reason, rdap=silence)
    for domain in ("old.com", "lost.org"):
        check(domain, 1, **of_registry, rdap={"outcome": "found", "status": ["active"]})


def add_runs(status: Engine) -> None:
    for day, provider, call_count in ((30, "domainr", 100), (31, "fastly", 1500), (32, "fastly", 500)):
        day_of = date(2026, 9, 1) + timedelta(days=day - 1)
        insert(status, "call_spending", day=day_of, provider=provider, call_count=call_count)
    october = datetime(2026, 10, 1, 12, tzinfo=UTC)
    summed_up(status, "one", october, {"active": (1, 1000), "held": (1, 1000)})
    summed_up(status, "two", october + DAY, {"active": (1, 4000)})


def decimals(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


ANSWERS: dict[str, Callable[[datetime], Answer]] = {
    "lapsed_last_week": lambda now: [
        ("gone.com", now - 5 * DAY, "released", "not renewed", 3, None),
        ("hidden.net", now - 3 * DAY, "reregistered", "not renewed", 1, None),
    ],
    "lapses_by_tld": lambda _: [
        ("org", 4, 4, Decimal("100.00")),
        ("net", 2, 1, Decimal("50.00")),
        ("com", 5, 2, Decimal("40.00")),
        ("de", 1, 0, Decimal("0.00")),
    ],
    "days_until_reregistered": lambda _: [
        ("redemption", 5, 3, *decimals("10.0", "40.0", "90.0")),
        ("released", 1, 0, None, None, None),
    ],
    "accounts_at_risk": lambda _: [
        (1, "too late", "gone.com", "active", None, None, None, None),
        (2, "popular", "stale.com", "active", 10, True, 3, True),
        (3, "careless", "stale.com", "active", 10, False, None, None),
    ],
    "cost_by_month": lambda _: [
        (date(2026, 10, 1), 2000, *decimals("2.00", "3000", "0.67")),
        (date(2026, 9, 1), 100, Decimal("0.10"), None, None),
    ],
    "hours_to_unverify": lambda _: [
        ("redemption", 20, *decimals("10.0", "19.0", "48.0")),
        ("released", 3, *decimals("30.0", "36.0", "36.0")),
        ("reregistered", 1, *decimals("10.0", "10.0", "10.0")),
    ],
    "undone": lambda _: [
        ("an appeal", "alice", "released", 2, *decimals("0.0800", "2.0")),
        ("a mistake", "bob", "redemption", 1, *decimals("0.0400", "1.0")),
    ],
    "silent_witnesses": lambda _: [
        ("registry of .com", 4, 3, Decimal("0.7500"), "server_error"),
        ("fastly", 4, 1, Decimal("0.2500"), "timeout"),
    ],
    "evidence_age": lambda _: [
        ("a day", 1, Decimal("0.2000"), 10),
        ("a week", 1, Decimal("0.2000"), 1),
        ("30 days", 1, Decimal("0.2000"), 3),
        ("older", 1, Decimal("0.2000"), 1),
        ("never checked", 1, Decimal("0.2000"), 2),
    ],
    "flipping_domains": lambda now: [("fine.com", 2, "active, expired, active", now - 20 * DAY)],
}


def test_every_example_has_its_answer_here() -> None:
    assert {file.name for file in EXAMPLES.iterdir()} == {f"{name}.sql" for name in ANSWERS}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_example_answers_its_question(name: str, now: datetime, analyst_url: str) -> None:
    query = (EXAMPLES / f"{name}.sql").read_text()
    with psycopg.connect(analyst_url) as connection:
        found = connection.execute(query.encode())
        assert found.fetchall() == ANSWERS[name](now)
    question, *_ = query.splitlines()
    assert question.endswith("?")
    assert found.description is not None
    assert re.findall(r"^-- (\w+)  ", query, re.MULTILINE) == [column.name for column in found.description]
