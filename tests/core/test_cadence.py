from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.cadence import COHORTS, cohort_of, cohort_of_day, next_check_at, next_cohort_day
from lapsewatch.core.policy import Verdict

DAY = date(2026, 11, 5)
NOON = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize(("domain", "cohort"), [("example.com", 6), ("xn--mnchen-3ya.de", 16), (f"{'a' * 63}.com", 27)])
def test_a_domain_keeps_its_cohort_for_good(domain: str, cohort: int) -> None:
    """Another hash would ask everybody again within days, or skip some for weeks."""
    assert cohort_of(domain) == cohort


def test_cohorts_are_even() -> None:
    sizes = [0] * COHORTS
    for number in range(30_000):
        sizes[cohort_of(f"domain{number}.com")] += 1
    assert max(sizes) < 1150
    assert min(sizes) > 850


@given(st.dates(max_value=date(9999, 1, 1)))
def test_thirty_days_in_a_row_are_the_days_of_all_cohorts(first: date) -> None:
    cohorts = {cohort_of_day(first + timedelta(days=number)) for number in range(30)}
    assert cohorts == set(range(COHORTS))


@given(st.integers(0, 29), st.dates(max_value=date(9999, 1, 1)))
def test_the_next_day_of_a_cohort_is_within_thirty_days(cohort: int, after: date) -> None:
    day = next_cohort_day(cohort, after)
    assert cohort_of_day(day) == cohort
    assert 1 <= (day - after).days <= 30


@pytest.mark.parametrize(
    ("verdict", "has_evidence", "day"),
    [
        (Verdict.WATCH, True, date(2026, 11, 6)),
        (Verdict.UNVERIFY, True, date(2026, 11, 6)),
        (Verdict.WATCH, False, date(2026, 11, 5)),
        (Verdict.KEEP, False, date(2026, 11, 5)),
    ],
)
def test_what_is_moving_is_due_the_next_day_and_silence_in_the_next_run(
    verdict: Verdict, has_evidence: bool, day: date
) -> None:
    assert next_check_at("example.com", DAY, NOON, verdict, has_evidence=has_evidence) == midnight(day)


@given(st.integers(0, 10**6).map("domain{}.com".format), st.integers(-100, 100))
def test_what_is_kept_is_due_on_the_next_day_of_its_cohort(domain: str, late: int) -> None:
    """After the answer in a backfill of days that are over, after the run's day in one that answers early."""
    now = NOON + timedelta(days=late)
    due = next_check_at(domain, DAY, now, Verdict.KEEP, has_evidence=True)
    assert due == midnight(next_cohort_day(cohort_of(domain), max(DAY, now.date())))


def test_an_answer_in_another_time_zone_is_of_its_utc_day() -> None:
    domain = next(f"domain{n}.com" for n in range(1000) if cohort_of(f"domain{n}.com") == cohort_of_day(DAY))
    late = datetime.fromisoformat("2026-11-04T23:30:00-02:00")
    due = next_check_at(domain, DAY - timedelta(days=3), late, Verdict.KEEP, has_evidence=True)
    assert due == midnight(DAY + timedelta(days=30))
