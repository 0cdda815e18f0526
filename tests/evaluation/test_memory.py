"""What is remembered of a domain from one check to the next; the rules themselves are tested where they are."""

from datetime import datetime, timedelta

import pytest
from lapsewatch.core.cadence import Cadence, NextCheck, Pace, Source, cohort_of, cohort_of_day
from lapsewatch.core.evidence import DnsOutcome, DnsReading, Flag, RdapOutcome, RdapReading
from lapsewatch.core.lifecycle import Phase
from lapsewatch.core.policy import Verdict

from evaluation.memory import DomainWatch
from evaluation.outlook import NO_SERVER, NOT_FOUND, SERVER_ERROR
from evaluation.year import DAY, EPOCH, RUNS

from .lives import noon

MAIL = DnsReading(DnsOutcome.DELEGATED, ("ns1.example.net",), mx=True, address=True)
GONE = DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False)
MADE, EXPIRES = EPOCH - 1000 * DAY, noon(500)


def record(*status: str, registered_at: datetime | None = MADE, expires_at: datetime = EXPIRES) -> RdapReading:
    return RdapReading(RdapOutcome.FOUND, status, registered_at, expires_at)


class Says:
    """Somebody to ask who always says the same, and counts the questions."""

    def __init__(self, flags: str, rdap: RdapReading = NO_SERVER, dns: DnsReading = MAIL) -> None:
        self._flags, self._rdap, self._dns = tuple(Flag(flag) for flag in flags.split()), rdap, dns
        self.asked: list[str] = []

    def flags(self):
        self.asked.append("flags")
        return self._flags

    def registry(self):
        self.asked.append("registry")
        return self._rdap

    def dns(self):
        self.asked.append("dns")
        return self._dns


WELL = Says("active", record("active"))


@pytest.fixture
def watch() -> DomainWatch:
    return DomainWatch("invented.com", EPOCH.date(), EPOCH, Pace(Cadence.ADAPTIVE, 12))


def test_the_first_check_is_on_the_cohorts_day_and_asks_the_status_api(watch: DomainWatch) -> None:
    first = watch.next.at.date()
    assert cohort_of_day(first) == cohort_of("invented.com")
    assert EPOCH.date() <= first < EPOCH.date() + timedelta(days=30)
    assert watch.due(first) is Source.STATUS_API
    assert watch.due(first - timedelta(days=1)) is None


def test_a_first_check_reads_the_registry_too_and_keeps_its_dates(watch: DomainWatch) -> None:
    ask = Says("active", record("active"))
    watch.check(RUNS[0], ask)
    assert ask.asked == ["flags", "registry"]
    assert (watch.known.phase, watch.known.registered_at) == (Phase.ACTIVE, MADE)
    assert (watch.known.registry_seen_at, watch.known.expires_at) == (RUNS[0], noon(500))


def test_no_evidence_leaves_what_is_known_and_has_the_next_run_ask_the_status_api(watch: DomainWatch) -> None:
    watch.check(RUNS[0], WELL)
    before = watch.known
    watch.check(RUNS[30], Says("", SERVER_ERROR))
    assert watch.known == before
    assert watch.due(RUNS[31].date()) is Source.STATUS_API


def test_a_check_by_the_registry_is_not_paid_for(watch: DomainWatch) -> None:
    watch.check(RUNS[0], Says("active", record("active", "auto renew period"), MAIL))
    assert watch.due(RUNS[1].date()) is Source.REGISTRY
    ask = Says("active", record("active"))
    watch.check(RUNS[1], ask)
    assert ask.asked == ["registry"]


def test_a_lapse_opens_once_and_ends_when_the_same_registration_stands_again(watch: DomainWatch) -> None:
    watch.check(RUNS[0], WELL)
    lapse = Says("active", record("redemption period"), GONE)
    watch.next = NextCheck(RUNS[30], Source.REGISTRY)
    watch.check(RUNS[30], lapse)
    assert watch.is_distrusted
    assert watch.known.lapsed_at == RUNS[30]
    watch.check(RUNS[31], lapse)
    assert watch.known.lapsed_at == RUNS[30]
    watch.check(RUNS[32], Says("active", SERVER_ERROR))
    assert watch.known.lapsed_at == RUNS[30]
    watch.check(RUNS[33], WELL)
    assert not watch.is_distrusted
    assert watch.known.lapsed_at is None
    assert watch.verdict is Verdict.KEEP


def test_what_is_registered_anew_after_a_lapse_stays_distrusted(watch: DomainWatch) -> None:
    watch.check(RUNS[0], WELL)
    watch.check(RUNS[50], Says("undelegated inactive", NOT_FOUND, GONE))
    watch.check(RUNS[60], Says("active", record("active", registered_at=noon(55)), MAIL))
    assert watch.is_distrusted
    assert watch.known.phase is Phase.REREGISTERED
    watch.check(RUNS[90], Says("active", record("active", registered_at=noon(55)), MAIL))
    assert watch.is_distrusted


def test_a_registration_later_than_the_verification_is_a_lapse_though_nobody_saw_it(watch: DomainWatch) -> None:
    watch.check(RUNS[9], Says("active", record("active", registered_at=noon(5)), MAIL))
    assert watch.is_distrusted
    assert (watch.known.phase, watch.known.lapsed_at) == (Phase.REREGISTERED, noon(5))


def test_a_date_that_is_still_to_come_is_none(watch: DomainWatch) -> None:
    watch.check(RUNS[9], Says("active", record("active", registered_at=noon(90)), MAIL))
    assert watch.known.registered_at is None
    assert not watch.is_distrusted


def test_that_others_call_it_unregistered_must_stand_for_a_day(watch: DomainWatch) -> None:
    watch.check(RUNS[0], Says("active"))
    released = Says("undelegated inactive", dns=GONE)
    watch.check(RUNS[20], released)
    assert not watch.is_distrusted
    assert watch.known.adverse_since == RUNS[20]
    watch.check(RUNS[21], released)
    assert watch.is_distrusted


def test_the_lapse_of_an_earlier_registration_stays_open_when_the_later_one_is_renewed(watch: DomainWatch) -> None:
    watch.check(RUNS[0], WELL)
    watch.check(RUNS[50], Says("undelegated inactive", NOT_FOUND, GONE))
    anew = noon(55)
    watch.check(RUNS[60], Says("active", record("active", registered_at=anew), MAIL))
    again = Says("undelegated active expiring", record("redemption period", registered_at=anew), GONE)
    watch.check(RUNS[400], again)
    assert watch.known.lapsed_at == RUNS[400]
    watch.check(RUNS[401], Says("active", record("active", registered_at=anew), MAIL))
    assert watch.known.lapsed_at == anew


@pytest.mark.parametrize(("days_late", "source"), [(0, Source.REGISTRY), (3, Source.REGISTRY), (4, Source.STATUS_API)])
def test_who_waits_too_long_for_the_registry_is_asked_of_the_status_api(
    watch: DomainWatch, days_late: int, source: Source
) -> None:
    watch.check(RUNS[0], Says("active", record("active", "auto renew period"), MAIL))
    day = RUNS[1 + days_late]
    assert watch.due(day.date()) is source
    ask = Says("active", record("active"))
    watch.check(day, ask)
    assert ("flags" in ask.asked) is (source is Source.STATUS_API)


@pytest.mark.parametrize(("days", "source"), [(30, Source.REGISTRY), (31, Source.STATUS_API)])
def test_who_has_been_without_evidence_for_too_long_is_asked_of_the_status_api(
    watch: DomainWatch, days: int, source: Source
) -> None:
    watch.check(RUNS[0], WELL)
    watch.next = NextCheck(RUNS[days], Source.REGISTRY)
    assert watch.due(RUNS[days].date()) is source


def test_after_a_lapse_that_nobody_saw_the_next_run_asks_the_status_api() -> None:
    watch = DomainWatch("invented.com", EPOCH.date(), EPOCH, Pace(Cadence.ADAPTIVE, 12))
    # By its date alone the registry would be asked the next day.
    watch.check(RUNS[9], Says("active", record("active", registered_at=noon(5), expires_at=noon(5 + 365)), MAIL))
    assert watch.due(RUNS[10].date()) is Source.STATUS_API
