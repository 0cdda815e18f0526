"""The domains of a simulated year, drawn one by one, and the truth about who could have received their mail when."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from simulator.delegations import Delegation, Delegations
from simulator.draw import Draw, Weighted
from simulator.lives import YEAR, Event, EventKind, Life, Phase, lapse
from simulator.names import invent
from simulator.rdap.registries import REGISTRIES
from simulator.status_flags import USUAL_FLAGS, Quirks
from simulator.year.assumptions import ASSUMPTIONS, Registrar, Zone

DAY = timedelta(days=1)
_DAY_SECONDS = 86_400

_ZONES = Weighted((zone, zone.share) for zone in ASSUMPTIONS.zones)
_REGISTRARS = Weighted((registrar, registrar.share) for registrar in ASSUMPTIONS.registrars)
_ADDRESS_COUNTS = Weighted(ASSUMPTIONS.address_counts)
_GRACE_DAYS = {registrar.name: Weighted(registrar.grace_days) for registrar in ASSUMPTIONS.registrars}
_IN_GRACE = {registrar.name: Weighted(registrar.in_grace) for registrar in ASSUMPTIONS.registrars}
_HELD_DAYS = Weighted(ASSUMPTIONS.held_days)
_ACTIVE_DELEGATIONS = Weighted((Delegation(name), share) for name, share in ASSUMPTIONS.active_delegations)
_ACTIVE_FLAGS = Weighted(ASSUMPTIONS.active_flags)
_FLAGS_AFTER_GRACE = {
    Phase.REDEMPTION: Weighted(ASSUMPTIONS.redemption_flags),
    Phase.PENDING_DELETE: Weighted(ASSUMPTIONS.pending_delete_flags),
    Phase.RELEASED: Weighted(ASSUMPTIONS.released_flags),
}
# Where the registry renews at the date by itself, whoever pays, and takes it back within the auto-renew period.
_AUTO_RENEWING = {
    zone.suffix
    for zone in ASSUMPTIONS.zones
    if zone.grace_days[1] and any(r.renews_by_itself for r in REGISTRIES if r.answers_for(zone.tld))
}


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


class Exposure(StrEnum):
    """By which route a domain comes to where a stranger can receive its mail."""

    RELEASED = "released"
    HANDED_OVER = "handed over"  # to the winner of an auction in grace
    SOLD = "sold"


_ROUTES = {EventKind.RELEASED: Exposure.RELEASED, EventKind.HANDED_OVER: Exposure.HANDED_OVER}
_UNPAID = (Phase.GRACE, Phase.REDEMPTION, Phase.PENDING_DELETE, Phase.RELEASED)


def year_domains(
    seed: str, numbers: range, epoch: datetime, auction_share: float, days: int = 410
) -> Iterator[YearDomain]:
    """The domains of these numbers; `auction_share` (0..1) is the share of all lapsing domains that are auctioned.

    A domain is the same whatever range it is drawn in and, unless it is auctioned, whatever the auction share: who is
    auctioned at one share is so at every greater one. All stand in `active` at the epoch and come to a date of theirs
    within the year after it; their lives are told to the epoch plus `days`. ValueError for a share that the
    auctioning registrars can't reach.
    """
    chance = auction_share / _AUCTIONABLE
    if not 0 <= chance <= 1:
        raise ValueError(f"the share of auctions lies between 0 and {_AUCTIONABLE:.2f}, not at {auction_share}")
    for number in numbers:
        yield _domain(seed, number, epoch, chance, days)


def exposed_at(domain: YearDomain) -> tuple[datetime, Exposure] | None:
    """The first instant at which a stranger could receive mail, and the route; None: not within its story."""
    sold = [(domain.sold_at, Exposure.SOLD)] if domain.sold_at else []
    lost = [(event.at, _ROUTES[event.kind]) for event in domain.life.events if event.kind in _ROUTES]
    return min(sold + lost, default=None)


def has_lapsed(domain: YearDomain, instant: datetime) -> bool:
    """The truth: its owner has not paid for it at that instant, or it is a stranger's. A hold is no lapse."""
    exposed = exposed_at(domain)
    return domain.life.phase_at(instant) in _UNPAID or (exposed is not None and exposed[0] <= instant)


def _auctionable() -> float:
    """The share of lapsing domains that lie at a registrar and under a zone where they could be auctioned."""
    lapsing = sum(zone.share * zone.not_renewed for zone in ASSUMPTIONS.zones)
    in_zones = sum(zone.share * zone.not_renewed for zone in ASSUMPTIONS.zones if _leaves_time_to_auction(zone))
    at_registrars = sum(registrar.share for registrar in ASSUMPTIONS.registrars if registrar.auctions)
    return in_zones / lapsing * at_registrars


def _leaves_time_to_auction(zone: Zone) -> bool:
    return zone.grace_days[1] >= ASSUMPTIONS.auctioned_on_day[1]


_AUCTIONABLE = _auctionable()


def _domain(seed: str, number: int, epoch: datetime, auction_chance: float, days: int) -> YearDomain:
    """What a domain is comes first, what becomes of it last: so an auction changes nothing that is drawn before it."""
    draw = Draw(seed, "year", str(number))
    zone, registrar = draw.weighted(_ZONES), draw.weighted(_REGISTRARS)
    name = f"{invent(draw, 2)}{number}.{zone.suffix}"
    address_count = draw.weighted(_ADDRESS_COUNTS)
    flags, delegation = draw.weighted(_ACTIVE_FLAGS), draw.weighted(_ACTIVE_DELEGATIONS)
    quirks: dict[Phase, str] = {Phase.ACTIVE: flags} if flags != USUAL_FLAGS[Phase.ACTIVE] else {}
    delegations: dict[Phase, Delegation] = {} if delegation is Delegation.MAIL_EXCHANGE else {Phase.ACTIVE: delegation}
    horizon = epoch + days * DAY
    events, is_lost = _events(draw, zone, registrar, epoch, horizon, auction_chance)
    sold_at = None
    if not is_lost:
        if draw.chance(ASSUMPTIONS.held_in_a_year * days / YEAR.days):
            events = _with_hold(draw, events, epoch, days)
        if draw.chance(ASSUMPTIONS.sold_in_a_year * days / YEAR.days):
            sold_at = epoch + _seconds(draw, 0, days)
    life = Life(tuple(event for event in events if event.at <= horizon))
    if any(event.kind is EventKind.EXPIRED for event in life.events):
        # A stream of its own, for not everybody has one, and an auction changes nothing of it.
        _past_its_date(Draw(seed, "year", str(number), "past its date"), registrar, quirks, delegations)
    return YearDomain(name, life, quirks, delegations, sold_at, registrar.name, address_count)


def _past_its_date(
    draw: Draw, registrar: Registrar, quirks: dict[Phase, str], delegations: dict[Phase, Delegation]
) -> None:
    """Adds what is seen of one domain once it has expired: by its registrar's habits, and by chance."""
    match draw.weighted(_IN_GRACE[registrar.name]):
        case Delegation.NONE:
            quirks[Phase.GRACE] = "undelegated active"
        case Delegation.PARKED:
            delegations[Phase.GRACE] = Delegation.PARKED
            if draw.chance(ASSUMPTIONS.parked_shows):
                quirks[Phase.GRACE] = "active parked"
        case Delegation() as changed:
            delegations[Phase.GRACE] = changed
        case None if Phase.ACTIVE in quirks:
            quirks[Phase.GRACE] = quirks[Phase.ACTIVE]
    drawn = {phase: draw.weighted(flags) for phase, flags in _FLAGS_AFTER_GRACE.items()}
    quirks.update({phase: flags for phase, flags in drawn.items() if flags != USUAL_FLAGS[phase]})


def _events(
    draw: Draw, zone: Zone, registrar: Registrar, epoch: datetime, horizon: datetime, auction_chance: float
) -> tuple[list[Event], bool]:
    """What happens to a domain up to the horizon and beyond, and whether its owner lets it lapse for good."""
    expires = epoch + _seconds(draw, 0, YEAR.days)
    registered = expires - (1 + draw.whole(*ASSUMPTIONS.age_years)) * YEAR
    events = [Event(registered, EventKind.REGISTERED, expires)]
    while expires < horizon + ASSUMPTIONS.renewed_days_ahead[1] * DAY:
        if draw.chance(zone.not_renewed * ASSUMPTIONS.kept_for_mail):
            return events + _loss(draw, zone, registrar, expires, auction_chance), True
        events += _renewal(draw, zone, registrar, expires)
        expires += YEAR
    return events, False


def _renewal(draw: Draw, zone: Zone, registrar: Registrar, expires: datetime) -> list[Event]:
    """The events of an owner who keeps the domain: on time, late in grace, or at last in redemption."""
    late = draw.between(0, 1)
    if late < ASSUMPTIONS.renewed_in_redemption + ASSUMPTIONS.renewed_in_grace:
        grace = _grace(draw, zone, registrar)
        expired, redemption = lapse(expires, grace)[:2]
        if grace and late >= ASSUMPTIONS.renewed_in_redemption:
            paid = expires + _seconds(draw, 0, grace.days)
            kind = EventKind.AUTO_RENEWED if zone.suffix in _AUTO_RENEWING else EventKind.RENEWED
            return [expired, Event(paid, kind, expires + YEAR)]
        paid = redemption.at + _seconds(draw, 0, zone.redemption_days)
        return [expired, redemption, Event(paid, EventKind.RENEWED, expires + YEAR)]
    if draw.chance(ASSUMPTIONS.auto_renewed):
        kind = EventKind.AUTO_RENEWED if zone.suffix in _AUTO_RENEWING else EventKind.RENEWED
        return [Event(expires, kind, expires + YEAR)]
    return [Event(expires - _seconds(draw, *ASSUMPTIONS.renewed_days_ahead), EventKind.RENEWED, expires + YEAR)]


def _loss(draw: Draw, zone: Zone, registrar: Registrar, expires: datetime, auction_chance: float) -> list[Event]:
    """The events of a domain whose owner never pays again: auctioned in grace, or released and perhaps taken."""
    grace = _grace(draw, zone, registrar)
    is_auctioned = registrar.auctions and _leaves_time_to_auction(zone) and draw.chance(auction_chance)
    handed_over = expires + _seconds(draw, *ASSUMPTIONS.auctioned_on_day)
    if is_auctioned:
        return [
            Event(expires, EventKind.EXPIRED),
            Event(handed_over, EventKind.HANDED_OVER, expires + YEAR),
        ]
    events = lapse(expires, grace, zone.redemption_days * DAY, zone.pending_delete_days * DAY)
    if draw.chance(ASSUMPTIONS.taken_by_stranger):
        taken = events[-1].at + _time_on_the_market(draw)
        events.append(Event(taken, EventKind.REGISTERED, taken + YEAR))
    return events


def _with_hold(draw: Draw, events: list[Event], epoch: datetime, days: int) -> list[Event]:
    """The events with a hold at any time at which the domain is in order, lifted at the latest for the next payment."""
    placed = epoch + _seconds(draw, 0, days)
    lifted = placed + _seconds(draw, *draw.weighted(_HELD_DAYS))
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


def _grace(draw: Draw, zone: Zone, registrar: Registrar) -> timedelta:
    """The grace that the registrar gives, within what the registry leaves to it."""
    low, high = zone.grace_days
    return min(max(draw.weighted(_GRACE_DAYS[registrar.name]), low), high) * DAY


def _time_on_the_market(draw: Draw) -> timedelta:
    """How long a released domain waits for its stranger."""
    if draw.chance(ASSUMPTIONS.caught_within_a_minute):
        return timedelta(seconds=draw.whole(1, 59))
    return _seconds(draw, 0, ASSUMPTIONS.taken_within_days)


def _seconds(draw: Draw, low: float, high: float) -> timedelta:
    """A length of time between two numbers of days, in whole seconds."""
    return timedelta(seconds=int(draw.between(low, high) * _DAY_SECONDS))
