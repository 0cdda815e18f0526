"""The domains of a simulated year, drawn one by one, and the truth about who could have received their mail when."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from simulator.delegations import Delegation, Delegations
from simulator.draw import Draw, Weighted
from simulator.lives import YEAR, Event, EventKind, Life, Phase, lapse
from simulator.names import invent
from simulator.rdap.registries import REGISTRIES
from simulator.status_flags import USUAL_FLAGS, Quirks
from simulator.year.assumptions import ASSUMPTIONS, Assumptions, Registrar, Zone

DAY = timedelta(days=1)
_DAY_SECONDS = 86_400


class _Tables:
    """What a table of assumptions comes to when domains are drawn by it."""

    def __init__(self, assumed: Assumptions) -> None:
        self.assumed = assumed
        self.zones = Weighted((zone, zone.share) for zone in assumed.zones)
        self.registrars = Weighted((registrar, registrar.share) for registrar in assumed.registrars)
        self.address_counts = Weighted(assumed.address_counts)
        self.grace_days = {registrar.name: Weighted(registrar.grace_days) for registrar in assumed.registrars}
        self.in_grace = {registrar.name: Weighted(registrar.in_grace) for registrar in assumed.registrars}
        self.held_days = Weighted(assumed.held_days)
        self.active_delegations = Weighted((Delegation(name), share) for name, share in assumed.active_delegations)
        self.active_flags = Weighted(assumed.active_flags)
        self.flags_after_grace = {
            Phase.REDEMPTION: Weighted(assumed.redemption_flags),
            Phase.PENDING_DELETE: Weighted(assumed.pending_delete_flags),
            Phase.RELEASED: Weighted(assumed.released_flags),
        }
        # Where the registry renews at the date by itself, whoever pays, and takes it back within the auto-renew period.
        self.auto_renewing = {
            zone.suffix
            for zone in assumed.zones
            if zone.grace_days[1] and any(r.renews_by_itself for r in REGISTRIES if r.answers_for(zone.tld))
        }
        # The share of lapsing domains that lie at a registrar and under a zone where they could be auctioned.
        lapsing = sum(zone.share * zone.not_renewed for zone in assumed.zones)
        in_zones = sum(zone.share * zone.not_renewed for zone in assumed.zones if self.leaves_time_to_auction(zone))
        self.auctionable = in_zones / lapsing * sum(one.share for one in assumed.registrars if one.auctions)

    def leaves_time_to_auction(self, zone: Zone) -> bool:
        return zone.grace_days[1] >= self.assumed.auctioned_on_day[1]


_tables = cache(_Tables)


@dataclass(frozen=True, slots=True)
class YearDomain:
    """A domain with verified addresses, told to the end of the year. Its addresses were all verified before it."""

    name: str  # A-labels, invented
    life: Life
    quirks: Quirks
    delegations: Delegations
    sold_at: datetime | None  # to another owner, which nothing shows
    registrar: str
    address_count: int
    mail_lost_at: datetime | None = None  # given up for good, while all else is in order


class Exposure(StrEnum):
    """By which route a domain comes to where a stranger can receive its mail."""

    RELEASED = "released"
    HANDED_OVER = "handed over"  # to the winner of an auction in grace
    SOLD = "sold"


_ROUTES = {EventKind.RELEASED: Exposure.RELEASED, EventKind.HANDED_OVER: Exposure.HANDED_OVER}
_UNPAID = (Phase.GRACE, Phase.REDEMPTION, Phase.PENDING_DELETE, Phase.RELEASED)


def year_domains(
    seed: str,
    numbers: range,
    epoch: datetime,
    auction_share: float,
    days: int = 410,
    assumed: Assumptions = ASSUMPTIONS,
) -> Iterator[YearDomain]:
    """The domains of these numbers; `auction_share` (0..1) is the share of all lapsing domains that are auctioned.

    A domain is the same whatever range it is drawn in and, unless it is auctioned, whatever the auction share: who is
    auctioned at one share is so at every greater one. All stand in `active` at the epoch and come to a date of theirs
    within the year after it; their lives are told to the epoch plus `days`. ValueError for a share that the
    auctioning registrars can't reach. Under other assumptions a domain differs in what they are about, as long as they
    change values and add nothing to the tables.
    """
    tables = _tables(assumed)
    chance = auction_share / tables.auctionable
    if not 0 <= chance <= 1:
        raise ValueError(f"the share of auctions lies between 0 and {tables.auctionable:.2f}, not at {auction_share}")
    for number in numbers:
        yield _domain(tables, seed, number, epoch, chance, days)


def exposed_at(domain: YearDomain) -> tuple[datetime, Exposure] | None:
    """The first instant at which a stranger could receive mail, and the route; None: not within its story."""
    sold = [(domain.sold_at, Exposure.SOLD)] if domain.sold_at else []
    lost = [(event.at, _ROUTES[event.kind]) for event in domain.life.events if event.kind in _ROUTES]
    return min(sold + lost, default=None)


def has_lapsed(domain: YearDomain, instant: datetime) -> bool:
    """The truth: its owner has not paid for it at that instant, or it is a stranger's. A hold is no lapse."""
    exposed = exposed_at(domain)
    return domain.life.phase_at(instant) in _UNPAID or (exposed is not None and exposed[0] <= instant)


def _domain(tables: _Tables, seed: str, number: int, epoch: datetime, auction_chance: float, days: int) -> YearDomain:
    """What a domain is comes first, what becomes of it last: so an auction changes nothing that is drawn before it."""
    draw = Draw(seed, "year", str(number))
    zone, registrar = draw.weighted(tables.zones), draw.weighted(tables.registrars)
    name = f"{invent(draw, 2)}{number}.{zone.suffix}"
    address_count = draw.weighted(tables.address_counts)
    flags, delegation = draw.weighted(tables.active_flags), draw.weighted(tables.active_delegations)
    quirks: dict[Phase, str] = {Phase.ACTIVE: flags} if flags != USUAL_FLAGS[Phase.ACTIVE] else {}
    delegations: dict[Phase, Delegation] = {} if delegation is Delegation.MAIL_EXCHANGE else {Phase.ACTIVE: delegation}
    horizon = epoch + days * DAY
    events, is_lost = _events(tables, draw, zone, registrar, epoch, horizon, auction_chance)
    sold_at = mail_lost_at = None
    years = days / YEAR.days
    if not is_lost:
        if draw.chance(tables.assumed.held_in_a_year * years):
            events = _with_hold(tables, draw, events, epoch, days)
        if draw.chance(tables.assumed.sold_in_a_year * years):
            sold_at = epoch + _seconds(draw, 0, days)
        # The last of its draws, so that it changes nothing else.
        if draw.chance(tables.assumed.mail_lost_in_a_year * years):
            mail_lost_at = epoch + _seconds(draw, 0, days)
    life = Life(tuple(event for event in events if event.at <= horizon))
    if any(event.kind is EventKind.EXPIRED for event in life.events):
        # A stream of its own, for not everybody has one, and an auction changes nothing of it.
        _past_its_date(tables, Draw(seed, "year", str(number), "past its date"), registrar, quirks, delegations)
    return YearDomain(name, life, quirks, delegations, sold_at, registrar.name, address_count, mail_lost_at)


def _past_its_date(
    tables: _Tables,
    draw: Draw,
    registrar: Registrar,
    quirks: dict[Phase, str],
    delegations: dict[Phase, Delegation],
) -> None:
    """Adds what is seen of one domain once it has expired: by its registrar's habits, and by chance."""
    match draw.weighted(tables.in_grace[registrar.name]):
        case Delegation.NONE:
            quirks[Phase.GRACE] = "undelegated active"
        case Delegation.PARKED:
            delegations[Phase.GRACE] = Delegation.PARKED
            if draw.chance(tables.assumed.parked_shows):
                quirks[Phase.GRACE] = "active parked"
        case Delegation() as changed:
            delegations[Phase.GRACE] = changed
        case None if Phase.ACTIVE in quirks:
            quirks[Phase.GRACE] = quirks[Phase.ACTIVE]
    drawn = {phase: draw.weighted(flags) for phase, flags in tables.flags_after_grace.items()}
    quirks.update({phase: flags for phase, flags in drawn.items() if flags != USUAL_FLAGS[phase]})


def _events(
    tables: _Tables,
    draw: Draw,
    zone: Zone,
    registrar: Registrar,
    epoch: datetime,
    horizon: datetime,
    auction_chance: float,
) -> tuple[list[Event], bool]:
    """What happens to a domain up to the horizon and beyond, and whether its owner lets it lapse for good."""
    expires = epoch + _seconds(draw, 0, YEAR.days)
    registered = expires - (1 + draw.whole(*tables.assumed.age_years)) * YEAR
    events = [Event(registered, EventKind.REGISTERED, expires)]
    while expires < horizon + tables.assumed.renewed_days_ahead[1] * DAY:
        if draw.chance(zone.not_renewed * tables.assumed.kept_for_mail):
            return events + _loss(tables, draw, zone, registrar, expires, auction_chance), True
        events += _renewal(tables, draw, zone, registrar, expires)
        expires += YEAR
    return events, False


def _renewal(tables: _Tables, draw: Draw, zone: Zone, registrar: Registrar, expires: datetime) -> list[Event]:
    """The events of an owner who keeps the domain: on time, late in grace, or at last in redemption."""
    assumed = tables.assumed
    late = draw.between(0, 1)
    if late < assumed.renewed_in_redemption + assumed.renewed_in_grace:
        grace = _grace(tables, draw, zone, registrar)
        expired, redemption = lapse(expires, grace)[:2]
        if grace and late >= assumed.renewed_in_redemption:
            paid = expires + _seconds(draw, 0, grace.days)
            kind = EventKind.AUTO_RENEWED if zone.suffix in tables.auto_renewing else EventKind.RENEWED
            return [expired, Event(paid, kind, expires + YEAR)]
        paid = redemption.at + _seconds(draw, 0, zone.redemption_days)
        return [expired, redemption, Event(paid, EventKind.RENEWED, expires + YEAR)]
    if draw.chance(assumed.auto_renewed):
        kind = EventKind.AUTO_RENEWED if zone.suffix in tables.auto_renewing else EventKind.RENEWED
        return [Event(expires, kind, expires + YEAR)]
    return [Event(expires - _seconds(draw, *assumed.renewed_days_ahead), EventKind.RENEWED, expires + YEAR)]


def _loss(
    tables: _Tables, draw: Draw, zone: Zone, registrar: Registrar, expires: datetime, auction_chance: float
) -> list[Event]:
    """The events of a domain whose owner never pays again: auctioned in grace, or released and perhaps taken."""
    grace = _grace(tables, draw, zone, registrar)
    is_auctioned = registrar.auctions and tables.leaves_time_to_auction(zone) and draw.chance(auction_chance)
    handed_over = expires + _seconds(draw, *tables.assumed.auctioned_on_day)
    if is_auctioned:
        return [
            Event(expires, EventKind.EXPIRED),
            Event(handed_over, EventKind.HANDED_OVER, expires + YEAR),
        ]
    events = lapse(expires, grace, zone.redemption_days * DAY, zone.pending_delete_days * DAY)
    if draw.chance(tables.assumed.taken_by_stranger):
        taken = events[-1].at + _time_on_the_market(tables, draw)
        events.append(Event(taken, EventKind.REGISTERED, taken + YEAR))
    return events


def _with_hold(tables: _Tables, draw: Draw, events: list[Event], epoch: datetime, days: int) -> list[Event]:
    """The events with a hold at any time at which the domain is in order, lifted at the latest for the next payment."""
    placed = epoch + _seconds(draw, 0, days)
    lifted = placed + _seconds(draw, *draw.weighted(tables.held_days))
    if Life(tuple(events)).phase_at(placed) is not Phase.ACTIVE:
        return events
    index = bisect_right(events, placed, key=lambda event: event.at)
    if index < len(events):
        lifted = min(lifted, events[index].at)
    return [
        *events[:index],
        Event(placed, EventKind.HOLD_PLACED),
        Event(lifted, EventKind.HOLD_LIFTED),
        *events[index:],
    ]


def _grace(tables: _Tables, draw: Draw, zone: Zone, registrar: Registrar) -> timedelta:
    """The grace that the registrar gives, within what the registry leaves to it."""
    low, high = zone.grace_days
    return min(max(draw.weighted(tables.grace_days[registrar.name]), low), high) * DAY


def _time_on_the_market(tables: _Tables, draw: Draw) -> timedelta:
    """How long a released domain waits for its stranger."""
    if draw.chance(tables.assumed.caught_within_a_minute):
        return timedelta(seconds=draw.whole(1, 59))
    return _seconds(draw, 0, tables.assumed.taken_within_days)


def _seconds(draw: Draw, low: float, high: float) -> timedelta:
    """A length of time between two numbers of days, in whole seconds."""
    return timedelta(seconds=int(draw.between(low, high) * _DAY_SECONDS))
