"""What the outside shows of one domain at each day's run, in the weather of its year, as evidence for `core`."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from lapsewatch.core.evidence import (
    Denial,
    DnsOutcome,
    DnsReading,
    Flag,
    NoEvidenceReason,
    RdapOutcome,
    RdapReading,
    read_flags,
)

from evaluation.year import DAYS, EPOCH, RUNS, WARM_UP_DAYS, first_run_from
from simulator.delegations import PARKING_NAME_SERVERS, Delegation
from simulator.faults import FaultKind
from simulator.year.assumptions import ASSUMPTIONS, Assumptions
from simulator.year.domains import YearDomain
from simulator.year.sights import Sight, registry_answers, sights
from simulator.year.weather import Weather

NO_SERVER = RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.NO_SERVER)
SERVER_ERROR = RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVER_ERROR)
NOT_FOUND = RdapReading(RdapOutcome.NOT_FOUND)
SERVFAIL = DnsReading(DnsOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVFAIL)

_NAME_SERVERS = ("ns1.example.net",)
_DELEGATED = DnsOutcome.DELEGATED
DNS_READINGS = {
    Delegation.MAIL_EXCHANGE: DnsReading(_DELEGATED, _NAME_SERVERS, mx=True, address=True),
    Delegation.ADDRESS_ONLY: DnsReading(_DELEGATED, _NAME_SERVERS, mx=False, address=True),
    Delegation.NULL_MX: DnsReading(_DELEGATED, _NAME_SERVERS, mx=False, address=True),
    Delegation.NO_MAIL: DnsReading(_DELEGATED, _NAME_SERVERS, mx=False, address=False),
    Delegation.PARKED: DnsReading(_DELEGATED, PARKING_NAME_SERVERS[:1], mx=False, address=True),
    Delegation.NONE: DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False, denial=Denial.NXDOMAIN),
}
"""What the resolver says of each delegation."""

Faults = tuple[FaultKind | None, ...]
"""Of one service under one top-level domain, at each day's run."""

CALM: Faults = (None,) * DAYS


class Skies:
    """The weather of a seeded year at each day's run; without a seed it is always good."""

    def __init__(self, seed: str | None, assumed: Assumptions = ASSUMPTIONS) -> None:
        weather = Weather(seed, EPOCH, assumed=assumed) if seed is not None else None
        self.status_api = _at_runs(weather.of_status_api if weather else None)
        self.registry = _at_runs(weather.of_registry if weather else None)
        self.dns = _at_runs(weather.of_dns if weather else None)


def _at_runs(fault: Callable[..., FaultKind | None] | None) -> Callable[[str], Faults]:
    @cache
    def of_tld(tld: str) -> Faults:
        return tuple(fault(tld, run) for run in RUNS) if fault else CALM

    return of_tld


@lru_cache(maxsize=8)
def skies_of(seed: str, assumed: Assumptions = ASSUMPTIONS) -> Skies:
    """Return the weather of a seeded year."""
    return Skies(seed, assumed)


@cache
def tld_of(domain: str) -> str:
    """Return the top-level domain."""
    return domain.rpartition(".")[2]


class Shown:
    """What is shown of one domain in good weather; `begins` holds the days of the first runs that find it so."""

    def __init__(self, domain: YearDomain) -> None:
        self.tld = tld_of(domain.name)
        self.has_registry = registry_answers(self.tld)
        self.sights: Sequence[Sight] = sights(domain)
        self.begins = [first_run_from(sight.since) for sight in self.sights]
        self.flags = [_read(sight.flags) for sight in self.sights]
        self.records = [_record(sight) if self.has_registry else NO_SERVER for sight in self.sights]
        self.dns = [DNS_READINGS[sight.delegation] for sight in self.sights]


class Outlook:
    """One domain as somebody sees it at the run of `day`, which they set themselves, in the weather of `skies`.

    It counts the questions of the counted year by kind, and lists the days of those to the status API, but for
    the repeated ones, and of those to the registry.
    """

    def __init__(self, shown: Shown, skies: Skies) -> None:
        tld = shown.tld
        self.day = 0
        self.has_registry = shown.has_registry
        self._shown = shown
        self._api_faults = skies.status_api(tld)
        self._registry_faults = skies.registry(tld)
        self._dns_faults = skies.dns(tld)
        self.paid_count = 0
        self.dns_count = 0
        self.api_days: list[int] = []
        self.registry_days: list[int] = []

    def flags(self) -> tuple[Flag, ...]:
        """Return what the status API says; nothing where the call fails. It is paid for either way."""
        self.paid_count += self.day >= WARM_UP_DAYS
        self.api_days.append(self.day)
        fault = self._api_faults[self.day]
        if fault is None:
            return self._shown.flags[self._now()]
        return _FLAGS_UNDER[fault]

    def registry(self) -> RdapReading:
        """Return what the registry says; where there is none to ask, nobody is asked."""
        if not self.has_registry:
            return NO_SERVER
        self.registry_days.append(self.day)
        return SERVER_ERROR if self._registry_faults[self.day] else self._shown.records[self._now()]

    def dns(self) -> DnsReading:
        """Return what the resolver says."""
        self.dns_count += self.day >= WARM_UP_DAYS
        return SERVFAIL if self._dns_faults[self.day] else self._shown.dns[self._now()]

    def repeat(self, until: int, *, with_dns: bool) -> None:
        """Count the questions of the days after this one, up to the given one, on which nothing can be new."""
        times = max(until - max(self.day + 1, WARM_UP_DAYS), 0)
        self.paid_count += times
        self.dns_count += times * with_dns

    def days_of_change(self) -> list[int]:
        """Return the days from which on the status API or the resolver may say something else than the day before."""
        days = {*self._shown.begins, *_changes(self._api_faults), *_changes(self._dns_faults)}
        return sorted(day for day in days if 0 <= day < DAYS)

    def _now(self) -> int:
        return bisect_right(self._shown.begins, self.day) - 1


_FLAGS_UNDER: dict[FaultKind, tuple[Flag, ...]] = {
    FaultKind.SERVER_ERROR: (),
    FaultKind.UNKNOWN_STORM: (Flag.UNKNOWN,),
    FaultKind.FALSE_INACTIVE: (Flag.UNDELEGATED, Flag.INACTIVE),
}
"""As the simulator's status API answers."""


@cache
def _changes(faults: Faults) -> tuple[int, ...]:
    return (0, *(day for day in range(1, DAYS) if faults[day] is not faults[day - 1]))


@cache
def _read(status: str) -> tuple[Flag, ...]:
    flags = read_flags(status)
    if flags is None:
        raise ValueError(f"the world shows flags that nobody knows: {status}")
    return flags


def _record(sight: Sight) -> RdapReading:
    if sight.registry_status is None:
        return NOT_FOUND
    return RdapReading(RdapOutcome.FOUND, sight.registry_status, sight.registered_at, sight.expires_at)
