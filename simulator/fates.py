"""What becomes of a domain: draws a life from the rates."""

from datetime import datetime, timedelta

from simulator.draw import Draw
from simulator.lives import REDEMPTION, YEAR, Event, EventKind, Life, lapse
from simulator.rates import RATES

DAY = timedelta(days=1)


def faithful_life(draw: Draw, epoch: datetime) -> Life:
    """The life of a domain whose owner always renews in time, up to the horizon."""
    events = [_first_registration(draw, epoch)]
    while (expires := _paid_until(events)) < _horizon(epoch):
        events.append(_renewal_in_time(draw, expires))
    return Life(tuple(events))


def fateful_life(draw: Draw, epoch: datetime) -> Life:
    """The life of a domain that may be held, renewed late, lapse, and fall to a stranger.

    Nothing happens before the last expiry date that precedes the epoch: until then every owner paid.
    """
    events = [_first_registration(draw, epoch)]
    while (expires := _paid_until(events)) < _horizon(epoch):
        if draw.chance(RATES.lapses_at_expiry):
            events += lapse(expires, _grace(draw))
            if not draw.chance(RATES.taken_by_stranger):
                break
            taken = events[-1].at + _time_on_the_market(draw)
            events.append(Event(taken, EventKind.REGISTERED, taken + YEAR))
        else:
            events += _renewal(draw, expires)
            events += _hold(draw, events[-1].at)
    return Life(tuple(events))


def _horizon(epoch: datetime) -> datetime:
    return epoch + RATES.horizon_days * DAY


def _paid_until(events: list[Event]) -> datetime:
    """The latest expiry date. A registration or renewal is at most followed by a hold's two events."""
    return next(event.expires for event in reversed(events) if event.expires is not None)


def _seconds(draw: Draw, low: float, high: float) -> timedelta:
    """A length of time between two numbers of days, in whole seconds."""
    return timedelta(seconds=int(draw.between(low, high) * DAY.total_seconds()))


def _first_registration(draw: Draw, epoch: datetime) -> Event:
    """The registration, paid until the last expiry date before the epoch; renewals before left no trace."""
    expires = epoch - _seconds(draw, 0, YEAR.days)
    return Event(expires - draw.whole(*RATES.age_years) * YEAR, EventKind.REGISTERED, expires)


def _renewal(draw: Draw, expires: datetime) -> list[Event]:
    """The events of an owner who keeps the domain: on time, late in grace, or at last in redemption."""
    if draw.chance(RATES.renewed_in_redemption):
        expired, redemption = lapse(expires, _grace(draw))[:2]
        late = redemption.at + _seconds(draw, 0, REDEMPTION.days)
        return [expired, redemption, Event(late, EventKind.RENEWED, expires + YEAR)]
    if draw.chance(RATES.renewed_in_grace):
        late = expires + _seconds(draw, 0, _grace(draw).days)
        return [Event(expires, EventKind.EXPIRED), Event(late, EventKind.RENEWED, expires + YEAR)]
    return [_renewal_in_time(draw, expires)]


def _renewal_in_time(draw: Draw, expires: datetime) -> Event:
    return Event(expires - _seconds(draw, *RATES.renewed_days_ahead), EventKind.RENEWED, expires + YEAR)


def _hold(draw: Draw, renewed: datetime) -> list[Event]:
    """Perhaps a hold in the year that begins with a renewal, over before the next renewal can come."""
    if not draw.chance(RATES.held_in_a_year):
        return []
    longest = RATES.held_days[1]
    # A late renewal may come 75 days after the date and the next one 30 days before it.
    placed = renewed + _seconds(draw, 1, YEAR.days - 75 - RATES.renewed_days_ahead[1] - longest)
    return [
        Event(placed, EventKind.HOLD_PLACED),
        Event(placed + _seconds(draw, *RATES.held_days), EventKind.HOLD_LIFTED),
    ]


def _grace(draw: Draw) -> timedelta:
    return draw.whole(*RATES.grace_days) * DAY


def _time_on_the_market(draw: Draw) -> timedelta:
    """How long a released domain waits for its stranger."""
    if draw.chance(RATES.caught_within_a_minute):
        return timedelta(seconds=draw.whole(1, 59))
    return _seconds(draw, 0, RATES.taken_within_days)
