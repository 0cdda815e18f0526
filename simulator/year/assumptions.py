"""Every assumption about a simulated year, in one table, each with its unit and its source.

What the demo's world assumes as well (`simulator/rates.py`) is taken from there, not said again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from simulator.delegations import Delegation
from simulator.faults import FaultKind, Service
from simulator.lives import AUTO_RENEW_PERIOD, PENDING_DELETE, REDEMPTION
from simulator.rates import RATES
from simulator.rdap.registries import REGISTRIES

T = TypeVar("T")

ASSUMPTION = "assumption"
_GTLD = "ICANN ERRP, RFC 3915; share lapsing: assumption"
_LIKE_A_GTLD = "assumption: as a gTLD"
_RATES = "assumption, as in `simulator/rates.py`"
_FIRST_RUN = "counts of PyPI's first run (warehouse pull request 18055); their scale: assumption"


@dataclass(frozen=True, slots=True)
class Zone:
    """A public suffix, what its registry does with domains that nobody renews, and how many of them there are."""

    suffix: str
    share: float  # of all domains
    not_renewed: float  # share of all its names, with mail or without, that lapse at their date
    grace_days: tuple[int, int]  # what the registry leaves to registrars; both the same where it fixes them
    redemption_days: int
    pending_delete_days: int
    source: str

    @property
    def tld(self) -> str:
        """The top-level domain, by which registries are asked and fail."""
        return self.suffix.rpartition(".")[2]

    @property
    def listed(self) -> bool:
        """Whether IANA's bootstrap file names an RDAP server for it."""
        return any(self.tld in registry.tlds for registry in REGISTRIES)


@dataclass(frozen=True, slots=True)
class Registrar:
    """A kind of registrar, and what it does with a domain that is past its date."""

    name: str
    share: float  # of all domains
    grace_days: tuple[tuple[int, float], ...]  # lengths by weight, within what the registry leaves to it
    auctions: bool
    # What DNS holds in grace, by weight. None: all stays as it was.
    in_grace: tuple[tuple[Delegation | None, float], ...]
    source: str = ASSUMPTION


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of bad weather: what then fails, how often, for how long, and for whom."""

    name: str
    faults: tuple[tuple[Service, FaultKind], ...]
    times: tuple[int, int]  # a year
    hours: tuple[float, float]
    of_one_tld: bool  # else of all
    certain: bool  # one of them lies in the counted year, over a run
    source: str = ASSUMPTION


_SHARES = {suffix: share / sum(share for _, share in RATES.tlds) for suffix, share in RATES.tlds}


def _zone(suffix: str, not_renewed: float, grace: tuple[int, int], after: tuple[int, int], source: str) -> Zone:
    return Zone(suffix, _SHARES[suffix], not_renewed, grace, *after, source)


_GRACE = (0, AUTO_RENEW_PERIOD.days)
_ERRP = (REDEMPTION.days, PENDING_DELETE.days)

_ZONES = (
    _zone("com", 0.26, _GRACE, _ERRP, "ICANN ERRP, RFC 3915; 73-75 % of names are renewed (Verisign)"),
    _zone("net", 0.26, _GRACE, _ERRP, "ICANN ERRP, RFC 3915; 73-75 % of names are renewed (Verisign)"),
    _zone("org", 0.22, _GRACE, _ERRP, _GTLD),
    _zone("dev", 0.28, _GRACE, _ERRP, _GTLD),
    _zone("app", 0.28, _GRACE, _ERRP, _GTLD),
    _zone("info", 0.35, _GRACE, _ERRP, _GTLD),
    _zone("xyz", 0.45, _GRACE, _ERRP, _GTLD),
    _zone("me", 0.28, _GRACE, _ERRP, _LIKE_A_GTLD),
    _zone("ai", 0.25, _GRACE, _ERRP, _LIKE_A_GTLD),
    _zone("in", 0.30, _GRACE, _ERRP, _LIKE_A_GTLD),
    _zone("ca", 0.20, _GRACE, _ERRP, _LIKE_A_GTLD),
    _zone("io", 0.25, (30, 30), (55, 5), "90 days in all, the first 30 still working; their division: assumption"),
    _zone("de", 0.12, (0, 30), (30, 0), "DENIC: 30 days of redemption grace, then free; the rest: assumption"),
    _zone("co.uk", 0.20, (30, 30), (60, 2), "Nominet: off after 30 days, cancelled on day 92; the rest: assumption"),
    _zone("fr", 0.17, (0, 30), (30, 0), "AFNIC: 30 days of redemption; the rest: assumption"),
    _zone("ch", 0.13, (0, 30), (40, 0), "SWITCH: 40 days of transition after a deletion; the rest: assumption"),
    _zone("nl", 0.14, (0, 30), (40, 0), "SIDN: 40 days of quarantine; the rest: assumption"),
    _zone("eu", 0.20, (0, 0), (40, 0), "EURid: no grace, 40 days of quarantine; share lapsing: assumption"),
    _zone("it", 0.16, (15, 15), (30, 5), "NIC.it: 15 days, 30 of redemption, 5; the rest: assumption"),
    _zone("cz", 0.17, (30, 30), (31, 0), "CZ.NIC: out of the zone after 30 days, gone after 61; the rest: assumption"),
    _zone("pl", 0.30, (0, 0), (30, 0), "assumption: out of DNS at the date, 30 days to restore"),
    _zone("com.br", 0.20, (15, 15), (75, 0), ASSUMPTION),
    _zone("se", 0.18, (10, 10), (60, 0), "assumption: off after 10 days, free after 60 more"),
    _zone("com.au", 0.20, (0, 0), (30, 1), "assumption: 30 days on expiry hold, then purged"),
    _zone("co.nz", 0.20, (0, 30), (90, 0), "DNCL: 90 days pending release; the rest: assumption"),
)

_REGISTRARS = (
    Registrar(
        "parks and auctions",
        0.40,
        ((36, 1), (40, 3), (43, 2), (45, 2)),
        auctions=True,
        in_grace=((Delegation.PARKED, 0.8), (Delegation.ADDRESS_ONLY, 0.07), (Delegation.NO_MAIL, 0.03), (None, 0.1)),
    ),
    Registrar(
        "leaves DNS alone and auctions",
        0.33,
        ((30, 1), (40, 2), (45, 2)),
        auctions=True,
        in_grace=((None, 0.75), (Delegation.NONE, 0.25)),
    ),
    Registrar(
        "switches off",
        0.17,
        ((15, 1), (30, 3), (40, 1)),
        auctions=False,
        in_grace=((Delegation.NONE, 0.8), (None, 0.2)),
    ),
    Registrar(
        "deletes within days",
        0.10,
        ((0, 1), (1, 2), (5, 2)),
        auctions=False,
        in_grace=((None, 1.0),),
    ),
)

_TROUBLES = (
    Trouble(
        "a registry is down for a day: the status API says `unknown`, its RDAP server fails",
        ((Service.STATUS, FaultKind.UNKNOWN_STORM), (Service.RDAP, FaultKind.SERVER_ERROR)),
        times=(5, 9),
        hours=(20, 28),
        of_one_tld=True,
        certain=False,
    ),
    Trouble(
        "a registry's RDAP server fails, while the status API knows",
        ((Service.RDAP, FaultKind.SERVER_ERROR),),
        times=(10, 20),
        hours=(2, 48),
        of_one_tld=True,
        certain=False,
    ),
    Trouble(
        "the status API says `unknown` of a whole top-level domain",
        ((Service.STATUS, FaultKind.UNKNOWN_STORM),),
        times=(10, 20),
        hours=(2, 24),
        of_one_tld=True,
        certain=False,
    ),
    Trouble(
        "the status API is down for six hours",
        ((Service.STATUS, FaultKind.SERVER_ERROR),),
        times=(3, 5),
        hours=(6, 6),
        of_one_tld=False,
        certain=True,
    ),
    Trouble(
        "a bad day: the status API calls every domain `inactive`",
        ((Service.STATUS, FaultKind.FALSE_INACTIVE),),
        times=(1, 1),
        hours=(24, 24),
        of_one_tld=False,
        certain=True,
    ),
    Trouble(
        "a bad day of one top-level domain: the status API calls all of its domains `inactive`",
        ((Service.STATUS, FaultKind.FALSE_INACTIVE),),
        times=(2, 4),
        hours=(6, 24),
        of_one_tld=True,
        certain=False,
    ),
    Trouble(
        "the resolver fails for a day",
        ((Service.DNS, FaultKind.SERVFAIL),),
        times=(1, 3),
        hours=(12, 24),
        of_one_tld=False,
        certain=False,
    ),
)


def _assumed(value: T, what: str, unit: str, source: str = ASSUMPTION) -> T:
    """A field of the table: its value, with the row that the document shows of it."""
    # `field` is typed as what it stands for.
    row: T = field(default=value, metadata={"what": what, "unit": unit, "source": source})
    return row


@dataclass(frozen=True)
class Assumptions:
    """The table. Shares are 0..1, weights add up to anything, lengths of time are days unless named otherwise."""

    zones: tuple[Zone, ...] = _ZONES
    registrars: tuple[Registrar, ...] = _REGISTRARS
    troubles: tuple[Trouble, ...] = _TROUBLES

    # How a year is watched and counted
    warm_up_days: int = _assumed(45, "Days before the counted year, in which watchers get to know the domains", "days")
    counted_days: int = _assumed(365, "Days of the counted year", "days", "the question")
    run_at_minute: int = _assumed(30, "Runs: daily, so long after midnight UTC", "minutes")

    # Lives
    kept_for_mail: float = _assumed(
        0.45, "Domains behind verified addresses lapse so much less than all names", "factor on each zone's share"
    )
    age_years: tuple[int, int] = _assumed(
        RATES.age_years, "Age of a domain at the last date before the year", "years, evenly", _RATES
    )
    auto_renewed: float = _assumed(
        0.5, "Owners in time who pay at the date, by the registrar's automatic renewal", "share of those in time"
    )
    renewed_days_ahead: tuple[int, int] = _assumed(
        RATES.renewed_days_ahead, "The other owners in time pay so long ahead of the date", "days, evenly", _RATES
    )
    renewed_in_grace: float = _assumed(
        RATES.renewed_in_grace, "Owners who keep the domain, but pay in grace", "share of those who keep it", _RATES
    )
    renewed_in_redemption: float = _assumed(
        RATES.renewed_in_redemption,
        "Owners who keep the domain, but pay in redemption",
        "share of those who keep it",
        _RATES,
    )
    held_in_a_year: float = _assumed(
        0.01, "Holds by mistake or in a dispute, over before the next date", "a year, of domains that do not lapse"
    )
    held_days: tuple[tuple[tuple[float, float], float], ...] = _assumed(
        (((0.2, 1), 0.3), ((1, 3), 0.3), ((3, 10), 0.25), ((10, 30), 0.1), ((30, 120), 0.05)),
        "How long a hold lasts",
        "days, evenly within each range",
    )
    auctioned_on_day: tuple[int, int] = _assumed(
        (42, 44),
        "The winner of an auction gets the domain: creation date kept, no redemption",
        "days after the date",
        "GoDaddy's timeline: listed on day 26, handed over on day 43; the spread: assumption",
    )
    taken_by_stranger: float = _assumed(
        RATES.taken_by_stranger, "Released domains that a stranger registers, with a new date", "share", _RATES
    )
    caught_within_a_minute: float = _assumed(
        RATES.caught_within_a_minute, "Of these, by a drop-catcher within the minute", "share", _RATES
    )
    taken_within_days: int = _assumed(RATES.taken_within_days, "The others within", "days, evenly", _RATES)
    sold_in_a_year: float = _assumed(
        0.002, "Quiet sales: another owner, and nothing shows", "a year, of domains that do not lapse"
    )
    mail_lost_in_a_year: float = _assumed(
        0.0, "Domains whose mail is given up for good, at any time of the year", "a year, of domains that do not lapse"
    )
    address_counts: tuple[tuple[int, float], ...] = _assumed(
        ((1, 712), (2, 116), (3, 14), (4, 9), (5, 6), (6, 3), (9, 5), (17, 6), (67, 4)),
        "Verified addresses on a domain",
        "addresses, by weight",
        "hosts of package maintainers (`simulator/data/maintainer-hosts.tsv`), the four largest left out",
    )

    # What is seen of them
    active_flags: tuple[tuple[str, float], ...] = _assumed(
        (
            ("active", 98_440),
            ("undelegated active", 750),
            ("active parked", 500),
            ("unknown", 200),
            ("marketed priced undelegated active", 40),
            ("undelegated", 45),
            ("inactive active", 10),
            ("undelegated reserved", 8),
            ("undelegated claimed", 7),
        ),
        "Flags of a domain in order, for good",
        "of 100,000",
        _FIRST_RUN,
    )
    parked_shows: float = _assumed(0.5, "Domains parked in grace that the status API shows as `active parked`", "share")
    redemption_flags: tuple[tuple[str, float], ...] = _assumed(
        RATES.redemption_flags, "Flags in redemption: `expiring` is not guaranteed", "share", _RATES
    )
    pending_delete_flags: tuple[tuple[str, float], ...] = _assumed(
        RATES.pending_delete_flags, "Flags in pending delete: `deleting` is not guaranteed", "share", _RATES
    )
    released_flags: tuple[tuple[str, float], ...] = _assumed(
        RATES.released_flags, "Flags once released", "share", _RATES
    )
    active_delegations: tuple[tuple[str, float], ...] = _assumed(
        RATES.active_delegations, "What DNS holds of a domain in order, unless its flags say otherwise", "share", _RATES
    )


ASSUMPTIONS = Assumptions()

# What no number says.
_BY_CONSTRUCTION = (
    ("At the first day", "every domain is in order; its next date lies within 365 days, evenly", ASSUMPTION),
    ("A domain in order", "shows the same flags and the same DNS all year, but for a hold", ASSUMPTION),
    ("A payment", "buys one year from the old date, whenever it comes", "RFC 5731; several years at once: left out"),
    ("Late payments", "lie evenly in grace or redemption; where a zone has no grace, all in redemption", ASSUMPTION),
    (
        "A registry that renews by itself",
        f"moves its date a year ahead, and shows `auto renew period` for {AUTO_RENEW_PERIOD.days} days, paid or not",
        "ICANN ERRP, RFC 3915",
    ),
    (
        "Which registries those are, and what else each shows",
        "`simulator/rdap/registries.py`",
        "modelled after real ones",
    ),
    (
        "What a registrar does to DNS in grace",
        "stands from the date on until the owner pays or loses the domain",
        ASSUMPTION,
    ),
    (
        "Auctions",
        "at registrars that auction, under zones with 45 days of grace; listed on day 26-36, unseen",
        ASSUMPTION,
    ),
    ("In redemption and pending delete", "nothing is delegated", "ICANN ERRP"),
    ("A hold", "`client hold`, nothing delegated, flags `undelegated active`", "RFC 5731"),
    ("Who takes a domain over, by auction, release or sale", "has DNS and mail as the owner had", ASSUMPTION),
    (
        "Registrars' own records, which lack the registry's phases",
        "not asked: the registry's record settles where the two disagree",
        "the registry keeps the book (RFC 3915)",
    ),
)


def assumption_rows() -> list[tuple[str, str, str]]:
    """The whole table for a reader: what is assumed, its value in words, and its source."""
    return [
        *map(_zone_row, ASSUMPTIONS.zones),
        *map(_registrar_row, ASSUMPTIONS.registrars),
        *_single_rows(),
        *_BY_CONSTRUCTION,
        *map(_trouble_row, ASSUMPTIONS.troubles),
    ]


def _zone_row(zone: Zone) -> tuple[str, str, str]:
    low, high = zone.grace_days
    parts = [
        f"{_share(zone.share)} of domains",
        f"{_share(zone.not_renewed)} of all names lapse at their date",
        f"grace {low} days" if low == high else f"grace {low}-{high} days, by registrar",
        f"redemption {zone.redemption_days}",
        f"pending delete {zone.pending_delete_days}",
        "RDAP" if zone.listed else "no RDAP server in IANA's list",
    ]
    return f"`.{zone.suffix}`", "; ".join(parts), zone.source


def _registrar_row(registrar: Registrar) -> tuple[str, str, str]:
    in_grace = [(state or "as it was", share) for state, share in registrar.in_grace]
    parts = [
        f"{_share(registrar.share)} of domains",
        f"grace of {_weighted(registrar.grace_days)} days where the zone leaves it the choice, else the nearest",
        f"DNS in grace: {_weighted(in_grace)}",
        "auctions what is not renewed" if registrar.auctions else "no auctions",
    ]
    return f"Registrar that {registrar.name}", "; ".join(parts), registrar.source


def _trouble_row(trouble: Trouble) -> tuple[str, str, str]:
    parts = [
        f"{_range(trouble.times)} a year",
        f"{_range(trouble.hours)} hours",
        "one top-level domain, each as likely" if trouble.of_one_tld else "all",
        *(["one over a run of the counted year"] if trouble.certain else []),
    ]
    return f"Weather: {trouble.name}", "; ".join(parts), trouble.source


def _single_rows() -> Iterator[tuple[str, str, str]]:
    for entry in fields(ASSUMPTIONS):
        if entry.metadata:
            what, unit, source = (entry.metadata[part] for part in ("what", "unit", "source"))
            yield what, f"{_in_words(getattr(ASSUMPTIONS, entry.name))} {unit}".rstrip(), source


def _in_words(value: Any) -> str:
    match value:
        case (low, high) if not isinstance(low, tuple):
            return _range((low, high))
        case tuple():
            return _weighted(value)
    return str(value)


def _weighted(pairs: Iterable[tuple[Any, float]]) -> str:
    """The things, each with its share or weight."""
    named = ((_range(thing) if isinstance(thing, tuple) else thing, weight) for thing, weight in pairs)
    return ", ".join(f"{thing} ({weight:g})" for thing, weight in named)


def _range(ends: tuple[float, float]) -> str:
    low, high = ends
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"


def _share(share: float) -> str:
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")
