"""The breaker: how many addresses a run may unverify without a person, in all and under each top-level domain."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from lapsewatch.core.lifecycle import Witness

SMALL = 10
"""So few addresses are never out of proportion: shares and growth are not looked at."""

MIN_PAST_RUNS = 7
"""With fewer runs behind it, nobody knows what is usual."""


class Limit(StrEnum):
    """What is limited: a number, two shares (0 to 1), and how often what is usual."""

    ADDRESSES = "addresses"
    ADDRESS_SHARE = "address_share"
    DOMAIN_SHARE = "domain_share"
    GROWTH = "growth"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that goes without a person: so many addresses, such shares, so many times what is usual."""

    addresses: int
    address_share: float
    domain_share: float
    growth: float


RUN_LIMITS = Limits(addresses=100, address_share=0.01, domain_share=0.05, growth=5.0)
TLD_LIMITS = Limits(addresses=50, address_share=0.05, domain_share=0.20, growth=5.0)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run is about to do, and what to hold it against. A `tld` of None is the whole run.

    `address_count` addresses on `domain_count` domains are to be unverified, of `verified_count` verified addresses on
    custom domains, and `checked_count` domains whose evidence is as fresh as theirs. `usual_count` addresses were
    unverified in the median of `past_run_count` recent runs.
    """

    tld: str | None
    address_count: int
    domain_count: int
    verified_count: int
    checked_count: int
    usual_count: float
    past_run_count: int


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that is exceeded: what was found, and what is allowed (both in the limit's own unit)."""

    tld: str | None
    limit: Limit
    found: float
    allowed: float

    def as_json(self) -> dict[str, object]:
        """Return the fields as a JSON object."""
        return {"tld": self.tld, "limit": self.limit.value, "found": self.found, "allowed": self.allowed}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Self:
        """Return what `as_json` was made of."""
        return cls(known["tld"], Limit(known["limit"]), known["found"], known["allowed"])

    def in_words(self) -> str:
        """Return a phrase for people, such as `.example: 80 addresses, the limit is 50`."""
        found, allowed = _AMOUNTS[self.limit].format(self.found), _AMOUNTS[self.limit].format(self.allowed)
        where = "the whole run" if self.tld is None else f".{self.tld}"
        return f"{where}: {found} {_UNITS[self.limit]}, the limit is {allowed}"


_UNITS = {
    Limit.ADDRESSES: "addresses",
    Limit.ADDRESS_SHARE: "of the verified addresses on custom domains",
    Limit.DOMAIN_SHARE: "of the domains checked in the last two days",
    Limit.GROWTH: "times as many addresses as in a usual run",
}
_AMOUNTS = {
    Limit.ADDRESSES: "{:,.0f}",
    Limit.ADDRESS_SHARE: "{:.1%}",
    Limit.DOMAIN_SHARE: "{:.1%}",
    Limit.GROWTH: "{:,.1f}",
}


def exceeded(tally: Tally, limits: Limits) -> Iterator[Exceeded]:
    """Yield the limits that a tally exceeds. Where a usual run unverifies nobody, it counts as one address."""
    found = {Limit.ADDRESSES: float(tally.address_count)}
    if tally.address_count > SMALL:
        found[Limit.ADDRESS_SHARE] = tally.address_count / max(tally.verified_count, tally.address_count)
        found[Limit.DOMAIN_SHARE] = tally.domain_count / max(tally.checked_count, tally.domain_count)
        if tally.past_run_count >= MIN_PAST_RUNS:
            found[Limit.GROWTH] = tally.address_count / max(tally.usual_count, 1.0)
    for limit, amount in found.items():
        allowed = float(getattr(limits, limit.value))
        if amount > allowed:
            yield Exceeded(tally.tld, limit, amount, allowed)


def suspicion(witnesses: Collection[Witness], *, is_tld_exceeded: bool) -> str | None:
    """Say what is suspicious about a lapse, so that a person may approve the others alone; None where nothing is."""
    if is_tld_exceeded:
        return "its top-level domain is above its limits, as in a registry's outage"
    if not {Witness.RDAP, Witness.DNS}.intersection(witnesses):
        return "neither the registry nor DNS has confirmed it"
    return None
