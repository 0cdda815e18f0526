"""The contestants: who asks about a domain when, and what becomes of the addresses on it. All decide by `core`.

Nobody verifies an address again within the year, and what has been unverified is not asked about any more.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from lapsewatch.core.cadence import Cadence, NextCheck, Pace, Source
from lapsewatch.core.evidence import DnsReading, Flag
from lapsewatch.core.lifecycle import Case
from lapsewatch.core.policy import Decision, Policy, Verdict, decide
from lapsewatch.core.questions import need_of, wants_dns

from evaluation.memory import DomainWatch
from evaluation.outlook import Outlook
from evaluation.year import DAYS, EPOCH, RUNS, day_of
from simulator.year.domains import YearDomain

PYPI_INTERVAL = 30
PYPI_ROWS_A_DAY = 1_000
"""warehouse, `accounts/tasks.py`: rows not asked about for 30 days, the oldest first, at most so many a day."""

PYPI_BACKDATED = 23
"""A call that fails is dated back by so many days, so that the row's turn comes earlier (`accounts/utils.py`)."""


class Unverified(NamedTuple):
    """So many addresses of a domain lose their verification on a day, at the check of that number about them."""

    day: int
    check_number: int
    address_count: int


@dataclass(frozen=True, slots=True)
class Play:
    """What became of the addresses on one domain, and the most days between two checks of it."""

    unverified: tuple[Unverified, ...]
    longest_wait: int = 0


class Watcher(Protocol):
    """One contestant."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def play(self, domain: YearDomain, outlook: Outlook) -> Play:
        """Watch the domain from the epoch to the end of the year."""

    def right_again(self, domain: YearDomain, outlook: Outlook, day: int) -> int | None:
        """Return the first day after the given one, on which it unverified addresses, when nothing it sees would
        speak against them any more; None where there is none in the year.
        """

    def sees(self, domain: YearDomain, outlook: Outlook, days: range) -> bool:
        """Tell whether it would unverify the addresses on one of these days, if it asked on every one of them."""


@dataclass(frozen=True, slots=True)
class PypiWatcher:
    """One call for each address row, every so many days, each row with an offset of its own."""

    name: str
    interval: int

    def play(self, domain: YearDomain, outlook: Outlook) -> Play:
        """Watch each row by itself."""
        rows = [self._unverified(f"{domain.name}/{row}", outlook) for row in range(domain.address_count)]
        return Play(tuple(row for row in rows if row is not None))

    def _unverified(self, row: str, outlook: Outlook) -> Unverified | None:
        outlook.day = _spread(row, self.interval)
        check_number = 0
        while outlook.day < DAYS:
            flags = outlook.flags()
            if flags:
                check_number += 1
                if _decision(Policy.PYPI, flags, None).verdict is Verdict.UNVERIFY:
                    return Unverified(outlook.day, check_number, 1)
            outlook.day += self.interval if flags else self.interval - PYPI_BACKDATED
        return None

    def right_again(self, _domain: YearDomain, outlook: Outlook, day: int) -> int | None:
        """As a daily look would find it."""
        return _first_day(Verdict.KEEP, Policy.PYPI, outlook, day + 1, DAYS)

    def sees(self, _domain: YearDomain, outlook: Outlook, days: range) -> bool:
        """As a daily look would find it."""
        return _first_day(Verdict.UNVERIFY, Policy.PYPI, outlook, days.start, days.stop) is not None


@dataclass(frozen=True, slots=True)
class RubygemsWatcher:
    """One call for each domain, every day; the MX where the flags are bad.

    Above its cap on users a person looks first: taken for granted is that they agree the same day.
    """

    name: str = "rubygems"

    def play(self, domain: YearDomain, outlook: Outlook) -> Play:
        """Ask every day; what cannot have changed since the day before is asked, and not decided, again."""
        day = _first_day(Verdict.UNVERIFY, Policy.RUBYGEMS, outlook, 0, DAYS)
        unverified = () if day is None else (Unverified(day, day + 1, domain.address_count),)
        return Play(unverified, longest_wait=1)

    def right_again(self, _domain: YearDomain, outlook: Outlook, day: int) -> int | None:
        """As it would find, asking every day."""
        return _first_day(Verdict.KEEP, Policy.RUBYGEMS, outlook, day + 1, DAYS)

    def sees(self, _domain: YearDomain, outlook: Outlook, days: range) -> bool:
        """As it does."""
        return _first_day(Verdict.UNVERIFY, Policy.RUBYGEMS, outlook, days.start, days.stop) is not None


@dataclass(frozen=True, slots=True)
class CorroboratedWatcher:
    """Lapsewatch's default policy, at some pace."""

    name: str
    pace: Pace

    def play(self, domain: YearDomain, outlook: Outlook) -> Play:
        """Ask when the domain is due, until its addresses are unverified."""
        asked_on, longest = 0, 0
        for check_number, watch in enumerate(self._checks(domain, outlook), start=1):
            longest = max(longest, outlook.day - asked_on)
            asked_on = outlook.day
            if watch.is_distrusted:
                return Play((Unverified(asked_on, check_number, domain.address_count),), longest)
        return Play((), max(longest, DAYS - asked_on))

    def right_again(self, domain: YearDomain, outlook: Outlook, day: int) -> int | None:
        """As it would find, if it went on asking."""
        checks = self._checks(domain, outlook)
        return next((outlook.day for watch in checks if outlook.day > day and not watch.is_distrusted), None)

    def sees(self, domain: YearDomain, outlook: Outlook, days: range) -> bool:
        """Ask every day whom a check of this cadence would ask."""
        asks_registry = self.pace.cadence is Cadence.ADAPTIVE and outlook.has_registry
        source = Source.REGISTRY if asks_registry else Source.STATUS_API
        watch = _new_watch(domain, self.pace)
        for day in days:
            outlook.day = day
            watch.next = NextCheck(RUNS[day], source)
            watch.check(RUNS[day], outlook)
            if watch.is_distrusted:
                return True
        return False

    def _checks(self, domain: YearDomain, outlook: Outlook) -> Iterator[DomainWatch]:
        """Yield the watch after each check, at the outlook's day."""
        watch = _new_watch(domain, self.pace)
        outlook.day = day_of(watch.next.at)
        while outlook.day < DAYS:
            watch.check(RUNS[outlook.day], outlook)
            yield watch
            outlook.day = max(outlook.day + 1, day_of(watch.next.at))


def _new_watch(domain: YearDomain, pace: Pace) -> DomainWatch:
    return DomainWatch(domain.name, EPOCH.date(), EPOCH, pace)


def _first_day(verdict: Verdict, policy: Policy, outlook: Outlook, begin: int, end: int) -> int | None:
    """Return the first day from `begin` on, before `end`, on which a policy without memory gives a verdict.

    It asks every day, and decides where something may have changed.
    """
    if begin >= end:
        return None
    changes = (day for day in outlook.days_of_change() if begin < day < end)
    for since, until in pairwise([begin, *changes, end]):
        outlook.day = since
        flags = outlook.flags()
        case = Case(EPOCH, flags)
        dns = outlook.dns() if need_of(case, policy) is not None and wants_dns(case, policy) else None
        if _decision(policy, flags, dns).verdict is verdict:
            return since
        outlook.repeat(until, with_dns=dns is not None)
    return None


@cache
def _decision(policy: Policy, flags: tuple[Flag, ...], dns: DnsReading | None) -> Decision:
    """Decide by a policy that knows no date and no history."""
    return decide(Case(EPOCH, flags, dns=dns), policy)


def _spread(name: str, days: int) -> int:
    """Return a day from 0 on, before `days`, that a name has for good."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % days
