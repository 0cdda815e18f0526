from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.cadence import (
    API_TURN,
    COHORTS,
    Cadence,
    NextCheck,
    Pace,
    Source,
    api_interval,
    cohort_of,
    cohort_of_day,
    next_check,
    next_cohort_day,
)
from lapsewatch.core.evidence import RdapReading
from lapsewatch.core.lifecycle import Case, History, Phase
from lapsewatch.core.policy import Policy, Verdict, decide

from tests.core.cases import (
    DAY,
    DNS_SILENT,
    NOT_FOUND,
    NOTHING,
    NOW,
    RDAP_SILENT,
    UNDELEGATED,
    WITH_MAIL,
    case,
    cases,
    found,
)

TODAY = NOW.date()
TOMORROW = TODAY + DAY
PACES = [Pace(Cadence.MONTHLY), Pace(api_interval=30), Pace(api_interval=9), Pace(api_interval=4)]
names = st.integers(0, 10**6).map("domain{}.com".format)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def due(
    known: Case, domain: str = "example.com", *, day: date = TODAY, pace: Pace = PACES[2], policy: Policy | None = None
) -> NextCheck:
    policy = policy or Policy.CORROBORATED
    return next_check(domain, day, known, decide(known, policy), policy, pace)


def domain_of(cohort: int) -> str:
    return next(f"domain{number}.com" for number in range(10_000) if cohort_of(f"domain{number}.com") == cohort)


def kept(expires_in: float | None, previous: History = NOTHING) -> Case:
    """A domain in order, as its registry says, with a date so many days from now."""
    expires_at = None if expires_in is None else NOW + expires_in * DAY
    return case(rdap=found("active", expires_at=expires_at), previous=previous)


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


@given(cases, names, st.sampled_from(PACES), st.sampled_from(Policy))
def test_nobody_waits_longer_than_thirty_days(known: Case, domain: str, pace: Pace, policy: Policy) -> None:
    now = NOW.replace(hour=1)
    found_due = due(replace(known, now=now), domain, pace=pace, policy=policy)
    assert midnight(TODAY) <= found_due.at <= midnight(TODAY + timedelta(days=30))
    if policy is not Policy.CORROBORATED or pace.cadence is Cadence.MONTHLY:
        assert found_due.source is Source.STATUS_API


@pytest.mark.parametrize("pace", PACES)
def test_silence_is_asked_about_by_the_next_run_and_paid_for(pace: Pace) -> None:
    for silent in (case(), case("unknown"), case("unknown", rdap=RDAP_SILENT), case(rdap=RDAP_SILENT, dns=UNDELEGATED)):
        assert due(silent, pace=pace) == (midnight(TODAY), Source.STATUS_API)


@pytest.mark.parametrize("pace", PACES[1:])
def test_what_is_moving_is_due_the_next_day_from_whoever_spoke(pace: Pace) -> None:
    from_registry, paid = (midnight(TOMORROW), Source.REGISTRY), (midnight(TOMORROW), Source.STATUS_API)
    assert due(case("active", rdap=found("auto renew period")), pace=pace) == from_registry
    assert due(case(rdap=found("client hold")), pace=pace) == from_registry
    assert due(case("inactive", rdap=NOT_FOUND), pace=pace) == from_registry
    assert due(case(rdap=found("redemption period"), dns=UNDELEGATED), pace=pace) == from_registry
    # A registry that stands alone may be contradicted.
    assert due(case(rdap=NOT_FOUND, dns=DNS_SILENT), pace=pace) == paid
    assert due(case(rdap=found("redemption period"), dns=WITH_MAIL), pace=pace) == paid
    assert due(case("expiring"), pace=pace) == paid
    assert due(case("expiring", rdap=RDAP_SILENT, dns=UNDELEGATED), pace=pace) == paid
    assert due(case("undelegated"), pace=pace) == paid


def test_a_late_run_shifts_nothing_that_is_moving() -> None:
    assert due(case("expiring"), day=TODAY - 3 * DAY).at == midnight(TODAY - 2 * DAY)


@given(names, st.integers(-100, 100))
def test_monthly_all_have_their_cohorts_day(domain: str, late: int) -> None:
    """After the answer in a backfill of days that are over, after the run's day in one that answers early."""
    known = replace(case("active"), now=NOW + late * DAY)
    expected = midnight(next_cohort_day(cohort_of(domain), max(TODAY, known.now.date())))
    assert due(known, domain, pace=Pace(Cadence.MONTHLY)) == (expected, Source.STATUS_API)
    assert due(known, domain, pace=Pace(), policy=Policy.PYPI) == (expected, Source.STATUS_API)


def test_an_answer_in_another_time_zone_is_of_its_utc_day() -> None:
    late = datetime.fromisoformat("2026-11-19T23:30:00-02:00")
    known = replace(case("active"), now=late)
    days = TODAY - 3 * DAY
    assert due(known, domain_of(cohort_of_day(TODAY)), day=days, pace=PACES[0]).at == midnight(TODAY + 30 * DAY)


@given(names, st.integers(1, 30))
def test_where_no_registry_answers_the_status_api_is_asked_at_its_interval(domain: str, interval: int) -> None:
    day, gaps = TODAY, []
    for _ in range(4):
        following = due(replace(case("active"), now=midnight(day)), domain, day=day, pace=Pace(api_interval=interval))
        assert following.source is Source.STATUS_API
        gaps.append((following.at.date() - day).days)
        day = following.at.date()
    assert gaps[0] <= interval
    assert gaps[1:] == [interval] * 3


def walk(expires_in: float | None, days: int, domain: str = "example.com") -> Iterator[tuple[int, Source]]:
    """The checks of a domain whose registry shows the same date throughout: days from today, and by whom."""
    day, previous = TODAY, NOTHING
    expires_at = None if expires_in is None else NOW + expires_in * DAY
    while (day - TODAY).days < days:
        now = midnight(day)
        known = Case(now=now, rdap=found("active", expires_at=expires_at), previous=previous)
        following = due(known, domain, day=day)
        previous = History(Phase.ACTIVE, registry_seen_at=now, expires_at=expires_at)
        day = following.at.date()
        yield (day - TODAY).days, following.source


def test_in_a_year_just_paid_for_the_registry_is_asked_every_thirty_days_and_the_api_rarely() -> None:
    checks = list(walk(700, 300))
    days = [number for number, _ in checks]
    assert {later - earlier for earlier, later in pairwise(days)} == {30}
    paid = [place for place, (_, source) in enumerate(checks) if source is Source.STATUS_API]
    assert {later - earlier for earlier, later in pairwise(paid)} == {API_TURN}


def test_before_its_date_a_domain_is_looked_at_on_the_eve_and_the_day_after() -> None:
    expires_at = NOW + 10 * DAY
    eve = due(kept(10), domain_of(cohort_of_day(TODAY + 25 * DAY)))
    assert eve == (midnight(expires_at.date() - DAY), Source.REGISTRY)
    on_the_eve = Case(now=eve.at + DAY / 24, rdap=found("active", expires_at=expires_at))
    after = due(on_the_eve, domain_of(cohort_of_day(TODAY + 25 * DAY)), day=eve.at.date())
    assert after == (midnight(expires_at.date() + DAY), Source.REGISTRY)


@pytest.mark.parametrize(
    ("moved_days_ago", "is_daily"), [(-2, False), (0.5, True), (20, True), (45, True), (50, False)]
)
def test_while_a_registry_may_have_moved_the_date_by_itself_it_is_asked_daily(
    moved_days_ago: float, is_daily: bool
) -> None:
    """Whoever sees the date only now can't tell whether anybody has paid."""
    other = domain_of((cohort_of_day(TODAY) + 20) % COHORTS)
    is_tomorrow = due(kept(365 - moved_days_ago), other) == (midnight(TOMORROW), Source.REGISTRY)
    assert is_tomorrow is is_daily


def test_a_date_that_was_there_before_the_registry_could_move_it_was_paid_for() -> None:
    other = domain_of((cohort_of_day(TODAY) + 20) % COHORTS)
    expires_at = NOW + 355 * DAY
    paid = History(Phase.ACTIVE, registry_seen_at=NOW - 15 * DAY, expires_at=expires_at)
    assert due(kept(355, paid), other).at == midnight(TODAY + 20 * DAY)
    unpaid = replace(paid, expires_at=expires_at - 365 * DAY)
    assert due(kept(355, unpaid), other).at == midnight(TOMORROW)


def test_a_registry_without_dates_is_asked_three_times_as_often() -> None:
    checks = list(walk(None, 400))
    days = [number for number, _ in checks]
    assert [later - earlier for earlier, later in pairwise(days)] == [10] * (len(days) - 1)
    paid = [number for number, source in checks if source is Source.STATUS_API]
    assert {later - earlier for earlier, later in pairwise(paid)} == {COHORTS * API_TURN}


def test_what_the_registry_said_stands_for_a_while_when_only_the_api_was_asked() -> None:
    other = domain_of((cohort_of_day(TODAY) + 20) % COHORTS)
    record = History(Phase.ACTIVE, registry_seen_at=NOW - 80 * DAY, expires_at=NOW + 200 * DAY)
    assert due(case("active", previous=record), other).at == midnight(TODAY + 20 * DAY)
    long_ago = replace(record, registry_seen_at=NOW - 101 * DAY)
    assert due(case("active", previous=long_ago), other, pace=Pace(api_interval=5)).at <= midnight(TODAY + 5 * DAY)


def test_what_is_not_in_dns_is_asked_about_every_four_days_where_no_registry_answers() -> None:
    known, days = case("undelegated active"), [TODAY]
    for _ in range(4):
        following = due(replace(known, now=midnight(days[-1])), day=days[-1], pace=Pace(api_interval=15))
        assert following.source is Source.STATUS_API
        days.append(following.at.date())
    assert [(later - earlier).days for earlier, later in pairwise(days[1:])] == [4, 4, 4]
    assert due(known, pace=Pace(api_interval=1)).at == midnight(TOMORROW)
    assert due(case("undelegated active", rdap=found("active"))).source is Source.REGISTRY


@pytest.mark.parametrize(
    ("unheard", "calls", "days"),
    [
        (0, 12.0, 4),  # nothing to spend on
        (260, 12.0, 13),
        (260, 24.0, 6),
        (260, 100.0, 4),
        (1000, 12.0, 30),  # no registry answers at all: everybody every 30 days
        (260, 3.0, 30),
    ],
)
def test_the_budget_decides_how_often_the_api_is_asked(unheard: int, calls: float, days: int) -> None:
    assert api_interval(1000, unheard, calls) == days


def test_without_domains_there_is_nothing_to_ask() -> None:
    assert api_interval(0, 0, 12) == COHORTS


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(7, 400))
def test_the_regular_calls_stay_within_the_budget(count: int, share: float, calls: float) -> None:
    unheard = int(count * share)
    days = api_interval(count, unheard, calls)
    spent = unheard * 365 / days + (count - unheard) * 365 / (COHORTS * API_TURN)
    assert days == COHORTS or spent <= calls * count


def reading(record: RdapReading) -> Verdict:
    return decide(case(rdap=record)).verdict


def test_a_registrys_word_alone_is_enough_to_keep_or_to_watch() -> None:
    """So that a check that asks nobody else decides."""
    assert reading(found("active")) is Verdict.KEEP
    assert reading(found("auto renew period")) is Verdict.WATCH
    assert reading(found("redemption period")) is Verdict.WATCH
