"""Two months of the real DAG, with outages and a killed run, end as the rules alone say.

The rules alone are the contest's (`evaluation.memory`): `lapsewatch.core`, and the status database's memory restated.
A run that is stopped publishes nothing: by its outcome the rules are told on which days nobody was heard.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import islice

import pytest
from lapsewatch.core.cadence import RECORD_STANDS, Cadence, Pace, api_interval

from evaluation.contest import CALLS_A_YEAR
from evaluation.memory import DomainWatch
from evaluation.outlook import Outlook, Shown
from evaluation.year import DAY, EPOCH, RUNS
from simulator.faults import FaultKind
from simulator.lives import EventKind
from simulator.world import World
from simulator.year.domains import YearDomain, year_domains
from simulator.year.weather import Weather

from .conftest import Known, TimeLapse

DAYS = 60
DOMAINS = 2000
EVENTFUL = 120
NUMBERS = range(6_000)
SEED = "lapse 35"
"""In its weather of sixty days there is every kind of outage over a run, of large registries too."""

VERIFIED_AT = EPOCH - DAY
KILLED_ON = 40
_QUIET = {EventKind.REGISTERED, EventKind.RENEWED, EventKind.AUTO_RENEWED}


class Sky:
    """The weather at each day's run, by the service that is asked, and top-level domain."""

    def __init__(self, weather: Weather) -> None:
        self.status_api, self.registry, self.dns = (
            cache(lambda tld, fault=fault: tuple(fault(tld, run) for run in RUNS[:DAYS]))
            for fault in (weather.of_status_api, weather.of_registry, weather.of_dns)
        )


class Rules:
    """The rules alone, over the same domains in the same weather."""

    def __init__(self, domains: list[YearDomain], weather: Weather) -> None:
        sky = Sky(weather)
        self.watches = {domain.name: DomainWatch(domain.name, EPOCH.date(), VERIFIED_AT, Pace()) for domain in domains}
        self._outlooks = {domain.name: Outlook(Shown(domain), sky) for domain in domains}
        self.unverified: dict[str, int] = {}

    def run(self, day: int, *, is_published: bool) -> None:
        """Ask about whom the run of a day asks about."""
        in_use = [name for name in self.watches if name not in self.unverified]
        unheard = sum(self._is_unheard(name, RUNS[day]) for name in in_use)
        pace = Pace(Cadence.ADAPTIVE, api_interval(len(in_use), unheard, CALLS_A_YEAR))
        for name in in_use if is_published else ():
            watch, outlook = self.watches[name], self._outlooks[name]
            watch._pace, outlook.day = pace, day
            if watch.due(RUNS[day].date()):
                watch.check(RUNS[day], outlook)
            if watch.is_distrusted:
                self.unverified[name] = day

    def known(self) -> dict[str, Known]:
        return {name: Known(watch.known, watch.verdict, watch.next) for name, watch in self.watches.items()}

    def _is_unheard(self, name: str, now: datetime) -> bool:
        seen_at = self.watches[name].known.registry_seen_at
        return seen_at is None or seen_at < now - RECORD_STANDS


@pytest.fixture(scope="module")
def domains() -> list[YearDomain]:
    """Domains of which many more than usual come to their date within the two months."""
    drawn = list(year_domains(SEED, NUMBERS, EPOCH, auction_share=0.25))
    eventful = [domain for domain in drawn if _is_eventful(domain)]
    assert len(eventful) > EVENTFUL
    dull = (domain for domain in drawn if not _is_eventful(domain))
    return [*eventful[:EVENTFUL], *islice(dull, DOMAINS - EVENTFUL)]


def _is_eventful(domain: YearDomain) -> bool:
    return any(event.kind not in _QUIET and EPOCH <= event.at < RUNS[DAYS] for event in domain.life.events)


@pytest.fixture
def world(domains: list[YearDomain]) -> World:
    return World.of(
        {domain.name: domain.life for domain in domains},
        EPOCH,
        {domain.name: domain.quirks for domain in domains},
        dns={domain.name: domain.delegations for domain in domains},
        verified_at={domain.name: VERIFIED_AT for domain in domains},
    )


def test_two_months_of_runs_end_as_the_rules_alone_say(
    domains: list[YearDomain], time_lapse: TimeLapse, lose_worker: Callable[[], None]
) -> None:
    weather = Weather(SEED, EPOCH, DAYS)
    rules, unverified, stopped = Rules(domains, weather), {}, []
    for day in range(DAYS):
        faults = weather.fault_rules(RUNS[day])
        if day == KILLED_ON:
            lose_worker()
            assert time_lapse.run(day, *faults) == "failed"
        is_published = time_lapse.run(day, *faults) == "success"
        stopped += [] if is_published else [day]
        rules.run(day, is_published=is_published)
        unverified |= dict.fromkeys(time_lapse.unverified() - unverified.keys(), day)
        assert unverified == rules.unverified, f"day {day}"
        assert _differences(time_lapse.known(), rules.known(), day) == [], f"day {day}"
    assert KILLED_ON not in stopped
    assert [weather.of_status_api("com", RUNS[day]) for day in stopped] == [FaultKind.SERVER_ERROR]
    assert len(unverified) > 20


def _differences(found: dict[str, Known], wanted: dict[str, Known], day: int) -> list[tuple[str, Known, Known]]:
    """Return the domains of which other things are known than wanted. What is overdue is due at the next run."""
    tomorrow = datetime.combine(RUNS[day].date() + timedelta(days=1), time(), UTC)

    def as_due(known: Known) -> Known:
        return known._replace(next=known.next._replace(at=max(known.next.at, tomorrow)))

    assert found.keys() == wanted.keys()
    return [(name, found[name], wanted[name]) for name in wanted if as_due(found[name]) != as_due(wanted[name])]
