"""Thirty days in a row, in any order, several at once, ask about every domain exactly once."""

import random
import string
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lapsewatch.core.cadence import COHORTS, Cadence, cohort_of, cohort_of_day
from lapsewatch.core.domains import Registrable, classify_host
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import Check, answer_batch, rows

DOMAINS = [f"domain{number}.com" for number in range(300)]
TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)
DAILY = Run(run_id="daily", as_of=datetime.combine(TODAY, time(), UTC))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def daily(day: date, **changes: object) -> Run:
    """The scheduled run of a day, half an hour after midnight."""
    now = midnight(day) + timedelta(minutes=30)
    return replace(DAILY, run_id=f"scheduled__{day}", as_of=midnight(day), clock=lambda: now, **changes)


def backfill(day: date, **changes: object) -> Run:
    """A backfill's run of a day, which is at work today."""
    return replace(DAILY, run_id=f"backfill__{day}", as_of=midnight(day), is_backfill=True, **changes)


def planned(status: Engine, run: Run) -> set[str]:
    query = """
        select domain
        from lapsewatch.domain_check
        join lapsewatch.run_plan using (run_id, planned_at)
        where run_id = :run_id
    """
    return {row["domain"] for row in rows(status, query, run_id=run.run_id)}


def of_cohort(cohort: int, domains: Iterable[str] = DOMAINS) -> set[str]:
    return {domain for domain in domains if cohort_of(domain) == cohort}


def ask(run: Run, status: Engine, told: dict[str, str | NoEvidenceReason] | None = None) -> set[str]:
    """Plan the run, answer what is open, publish; return what was asked about."""
    asked = set()
    for batch in plan_batches(run, status)[0]:
        asked |= open_domains(status, run)
        answer_batch(run, batch, told or {}, status)
    store_domain_status(run, status)
    return asked


def open_domains(status: Engine, run: Run) -> set[str]:
    query = "select domain from lapsewatch.domain_check where run_id = :run_id and checked_at is null"
    return {row["domain"] for row in rows(status, query, run_id=run.run_id)}


@pytest.fixture
def base(add_addresses: Callable[..., None]) -> list[str]:
    """Users on all domains, of whom nothing is known yet."""
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))
    return DOMAINS


@pytest.fixture
def known(base: list[str], users: UserDatabase, status: Engine) -> list[str]:
    """Domains that the very first extraction has found."""
    extract_domains(DAILY, users, status)
    return base


def a_labels(host: str) -> str:
    kind = classify_host(host)
    return kind.domain if isinstance(kind, Registrable) else "example.com"


NAMES = st.text(string.ascii_lowercase + string.digits + "-.", max_size=253)
UNICODE_NAMES = st.text(st.characters(categories=["Ll", "Lo", "Nd"]), min_size=1, max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(NAMES | UNICODE_NAMES.map("{}.com".format).map(a_labels), min_size=1, max_size=200))
@example([f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 57}.com", "xn--mnchen-3ya.de", "xn--fiqs8s"])
def test_python_and_postgresql_agree_on_every_cohort(status: Engine, names: list[str]) -> None:
    query = (
        "select lapsewatch.cohort_of(name) as cohort from unnest(cast(:names as text[])) with ordinality as n (name, p)"
    )
    found = rows(status, f"{query} order by p", names=names)
    assert [row["cohort"] for row in found] == [cohort_of(name) for name in names]


def test_a_domain_has_its_cohort_from_the_start(known: list[str], status: Engine) -> None:
    found = rows(status, "select domain, cohort from lapsewatch.domain_status")
    assert {row["domain"]: row["cohort"] for row in found} == {domain: cohort_of(domain) for domain in known}


def test_a_backfill_of_any_thirty_days_in_any_order_asks_everybody_once(known: list[str], status: Engine) -> None:
    days = [TODAY - timedelta(days=number) for number in range(400, 400 + COHORTS)]
    random.shuffle(days)
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda day: ask(backfill(day), status), days))
    asked = rows(status, "select domain, call_count from lapsewatch.domain_check")
    assert sorted(row["domain"] for row in asked) == sorted(known)
    assert all(row["call_count"] == 1 for row in asked)
    for day in days:
        assert planned(status, backfill(day)) == of_cohort(cohort_of_day(day))


def test_thirty_more_days_ask_nobody_again_unless_told_to(known: list[str], status: Engine) -> None:
    for number in range(COHORTS):
        ask(backfill(TODAY - timedelta(days=number)), status)
    for number in range(COHORTS, 2 * COHORTS):
        assert ask(backfill(TODAY - timedelta(days=number)), status) == set()
    again = set()
    for number in range(2 * COHORTS, 3 * COHORTS):
        again |= ask(backfill(TODAY - timedelta(days=number), recheck=True), status)
    assert again == set(known)


def test_in_a_backfill_due_is_what_has_no_evidence_of_the_last_thirty_days(known: list[str], status: Engine) -> None:
    silent, old, fresh, *_ = sorted(of_cohort(cohort_of_day(TODAY)))
    with status.begin() as connection:
        for domain, age in ((old, timedelta(days=30, hours=1)), (fresh, timedelta(days=29, hours=23))):
            query = "update lapsewatch.domain_status set checked_at = :at, next_check_at = :due where domain = :domain"
            connection.execute(
                text(query), {"at": datetime.now(UTC) - age, "due": midnight(TOMORROW), "domain": domain}
            )
        query = (
            "update lapsewatch.domain_status set attempted_at = now(), outcome = 'no_evidence' where domain = :domain"
        )
        connection.execute(text(query), {"domain": silent})
    assert planned_by(backfill(TODAY), status) == of_cohort(cohort_of_day(TODAY)) - {fresh}


def planned_by(run: Run, status: Engine) -> set[str]:
    plan_batches(run, status)
    return planned(status, run)


def test_every_scope_of_a_backfill_is_cut_to_its_cohort(known: list[str], status: Engine) -> None:
    cohort = of_cohort(cohort_of_day(TODAY))
    listed = (*sorted(cohort)[:2], *sorted(set(known) - cohort)[:5])
    ask(backfill(TODAY), status)
    everything = backfill(TODAY, scope="all")
    assert planned_by(replace(everything, run_id="all"), status) == cohort
    of_list = replace(everything, run_id="list", scope="list", domains=listed)
    assert planned_by(of_list, status) == set(listed[:2])


def test_the_first_run_does_not_ask_everybody_at_once_and_thirty_ask_everybody_once(
    base: list[str], users: UserDatabase, status: Engine
) -> None:
    asked: list[str] = []
    for number in range(COHORTS):
        run = daily(TODAY + timedelta(days=number))
        extract_domains(run, users, status)
        of_the_day = ask(run, status)
        assert of_the_day == of_cohort(cohort_of_day(run.day))
        asked += of_the_day
    assert sorted(asked) == sorted(base)
    once_more = daily(TODAY + timedelta(days=COHORTS))
    assert ask(once_more, status) == of_cohort(cohort_of_day(TODAY))


def test_the_first_extraction_of_a_backfill_makes_nothing_due_at_once(
    base: list[str], users: UserDatabase, status: Engine
) -> None:
    """Its days are over: counted from them, the daily run would find everybody overdue."""
    extract_domains(backfill(TODAY - timedelta(days=40)), users, status)
    assert ask(daily(TODAY), status) == of_cohort(cohort_of_day(TODAY))


def test_a_daily_run_takes_its_cohort_and_what_is_new_watched_failed_or_overdue(
    known: list[str], users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    watched, failed, *_ = sorted(of_cohort(cohort_of_day(TODAY)))
    told = {watched: "undelegated active expiring", failed: NoEvidenceReason.TIMEOUT}
    assert ask(daily(TODAY), status, told) == of_cohort(cohort_of_day(TODAY))
    # The run of tomorrow is lost: the day after takes its cohort too.
    add_addresses("user@brand-new.com")
    run = daily(TOMORROW + timedelta(days=1))
    extract_domains(run, users, status)
    overdue, own = of_cohort(cohort_of_day(TOMORROW)), of_cohort(cohort_of_day(run.day))
    assert ask(run, status) == own | overdue | {watched, failed, "brand-new.com"}


def test_what_a_later_extraction_finds_is_due_at_once(
    known: list[str], users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    late = [f"late{number}.com" for number in range(60)]
    add_addresses(*(f"user@{domain}" for domain in late))
    run = daily(TODAY)
    extract_domains(run, users, status)
    assert ask(run, status) == of_cohort(cohort_of_day(TODAY)) | set(late)


def test_domains_found_by_a_backfill_are_asked_by_the_next_daily_run(
    known: list[str], users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.extraction set extracted_at = :at"), {"at": yesterday})
    add_addresses("user@late.com")
    extract_domains(backfill(TODAY - timedelta(days=3)), users, status)
    assert ask(daily(TODAY), status) == of_cohort(cohort_of_day(TODAY)) | {"late.com"}


def test_a_run_by_hand_at_noon_asks_what_is_due_and_postpones_nobody(known: list[str], status: Engine) -> None:
    now = midnight(TODAY) + timedelta(hours=12)
    by_hand = replace(DAILY, run_id="manual", as_of=now, clock=lambda: now)
    assert ask(by_hand, status) == of_cohort(cohort_of_day(TODAY))
    assert ask(daily(TOMORROW), status) == of_cohort(cohort_of_day(TOMORROW))


def test_a_run_that_asks_nobody_is_planned_too(users: UserDatabase, status: Engine) -> None:
    assert plan_batches(DAILY, status) == ([], 0)
    assert rows(status, "select domain_count, batch_count from lapsewatch.run_plan") == [
        {"domain_count": 0, "batch_count": 0}
    ]


def test_a_checked_run_of_a_backfill_moves_the_next_check_to_the_next_day_of_the_cohort(
    base: list[str], check: Check, status: Engine
) -> None:
    day = TODAY - timedelta(days=45)
    store_domain_status(check({}, backfill(day, cadence=Cadence.MONTHLY)), status)
    due = rows(status, "select distinct next_check_at from lapsewatch.domain_status where checked_at is not null")
    assert [row["next_check_at"] for row in due] == [midnight(day + timedelta(days=60))]
