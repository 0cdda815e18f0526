"""The life of a domain: a list of dated events, and everything that follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

YEAR = timedelta(days=365)
REDEMPTION = timedelta(days=30)  # ICANN ERRP
PENDING_DELETE = timedelta(days=5)  # ICANN ERRP
AUTO_RENEW_PERIOD = timedelta(days=45)  # ICANN ERRP; RFC 3915


class Phase(StrEnum):
    """Where a domain stands in its life (the gTLD phases of ICANN's ERRP)."""

    NEVER_REGISTERED = "never registered"
    ACTIVE = "active"
    HELD = "held"  # registered, but taken out of DNS by its registrar or registry
    GRACE = "auto-renew grace"
    REDEMPTION = "redemption"
    PENDING_DELETE = "pending delete"
    RELEASED = "released"


class EventKind(StrEnum):
    """What can happen to a domain."""

    REGISTERED = "registered"  # after a release: by somebody else
    RENEWED = "renewed"  # on time, late in grace, or in redemption
    AUTO_RENEWED = "auto-renewed"  # at the date or in grace: the registry's automatic renewal stands, for it is paid
    HOLD_PLACED = "hold placed"
    HOLD_LIFTED = "hold lifted"
    EXPIRED = "expired"
    HANDED_OVER = "handed over"  # in grace, to the winner of the registrar's auction: no release, no new creation date
    REDEMPTION_BEGUN = "redemption begun"
    DELETE_PENDING = "delete pending"
    RELEASED = "released"


_PHASE_AFTER = {
    EventKind.REGISTERED: Phase.ACTIVE,
    EventKind.RENEWED: Phase.ACTIVE,
    EventKind.AUTO_RENEWED: Phase.ACTIVE,
    EventKind.HOLD_PLACED: Phase.HELD,
    EventKind.HOLD_LIFTED: Phase.ACTIVE,
    EventKind.EXPIRED: Phase.GRACE,
    EventKind.HANDED_OVER: Phase.ACTIVE,
    EventKind.REDEMPTION_BEGUN: Phase.REDEMPTION,
    EventKind.DELETE_PENDING: Phase.PENDING_DELETE,
    EventKind.RELEASED: Phase.RELEASED,
}

_POSSIBLE_IN = {
    EventKind.REGISTERED: {Phase.NEVER_REGISTERED, Phase.RELEASED},
    EventKind.RENEWED: {Phase.ACTIVE, Phase.GRACE, Phase.REDEMPTION},
    EventKind.AUTO_RENEWED: {Phase.ACTIVE, Phase.GRACE},
    EventKind.HOLD_PLACED: {Phase.ACTIVE},
    EventKind.HOLD_LIFTED: {Phase.HELD},
    EventKind.EXPIRED: {Phase.ACTIVE},
    EventKind.HANDED_OVER: {Phase.GRACE},
    EventKind.REDEMPTION_BEGUN: {Phase.GRACE},
    EventKind.DELETE_PENDING: {Phase.REDEMPTION},
    EventKind.RELEASED: {Phase.PENDING_DELETE},
}


_SET_THE_EXPIRY = {EventKind.REGISTERED, EventKind.RENEWED, EventKind.AUTO_RENEWED, EventKind.HANDED_OVER}


class Event(NamedTuple):
    """Something that happened to a domain; `expires` is the new expiry date of what was paid for."""

    at: datetime
    kind: EventKind
    expires: datetime | None = None


def lapse(
    expires: datetime,
    grace: timedelta,
    redemption: timedelta = REDEMPTION,
    pending_delete: timedelta = PENDING_DELETE,
) -> list[Event]:
    """The events of a domain that nobody renews, from its expiry date to its release; the lengths are a gTLD's."""
    redemption_begins = expires + grace
    deletion_begins = redemption_begins + redemption
    return [
        Event(expires, EventKind.EXPIRED),
        Event(redemption_begins, EventKind.REDEMPTION_BEGUN),
        Event(deletion_begins, EventKind.DELETE_PENDING),
        Event(deletion_begins + pending_delete, EventKind.RELEASED),
    ]


def auto_renew_period_end(renewal: Event) -> datetime:
    """When a registry stops showing `auto renew period` after an automatic renewal. ValueError for another event."""
    if renewal.kind is not EventKind.AUTO_RENEWED or renewal.expires is None:
        raise ValueError(f"{renewal}: no automatic renewal")
    return renewal.expires - YEAR + AUTO_RENEW_PERIOD


@dataclass(frozen=True, slots=True)
class Life:
    """The events of one domain, oldest first. ValueError for an order in which no domain lives.

    The events are the whole truth: after the last one, the domain stays as that one left it.
    """

    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        phase = Phase.NEVER_REGISTERED
        for event in self.events:
            if phase not in _POSSIBLE_IN[event.kind]:
                raise ValueError(f"{event}: impossible in phase {phase}")
            if (event.expires is not None) != (event.kind in _SET_THE_EXPIRY):
                raise ValueError(f"{event}: what is paid for sets the expiry date, nothing else does")
            phase = _PHASE_AFTER[event.kind]
        for earlier, later in pairwise(self.events):
            if later.at < earlier.at:
                raise ValueError(f"{later}: stands after {earlier}")

    @classmethod
    def active(cls, expires: datetime, registered: datetime | None = None) -> "Life":
        """A domain in order, registered ten years before it expires unless told otherwise."""
        return cls((Event(registered or expires - 10 * YEAR, EventKind.REGISTERED, expires),))

    @classmethod
    def lapsing(
        cls, expires: datetime, registered: datetime | None = None, grace: timedelta = timedelta(days=40)
    ) -> "Life":
        """A domain that nobody renews: grace from `expires` on, redemption, pending delete, released."""
        return cls((*cls.active(expires, registered).events, *lapse(expires, grace)))

    def renewed(self, at: datetime) -> "Life":
        """The same life up to `at`, when the owner pays for one more year; from then on it is active."""
        return self._going_on(at, [Event(at, EventKind.RENEWED, self._one_more_year(at))])

    def auto_renewed(self, at: datetime) -> "Life":
        """The same life up to `at`, the date or later in grace, when the registrar is paid for one more year.

        It lets the registry's automatic renewal of that date stand, which the registry shows for `AUTO_RENEW_PERIOD`.
        """
        return self._going_on(at, [Event(at, EventKind.AUTO_RENEWED, self._one_more_year(at))])

    def auctioned(self, at: datetime) -> "Life":
        """The same life up to `at`, in grace, when the registrar hands the domain to the winner of its auction.

        A stranger holds it from then on, but the creation date is still the first owner's.
        """
        return self._going_on(at, [Event(at, EventKind.HANDED_OVER, self._one_more_year(at))])

    def re_registered(self, at: datetime) -> "Life":
        """The same life up to `at`, when a stranger registers the released domain for a year."""
        return self._going_on(at, [Event(at, EventKind.REGISTERED, at + YEAR)])

    def held(self, at: datetime, until: datetime) -> "Life":
        """The same life up to `at`, when the domain is put on hold by mistake, to be freed at `until`."""
        return self._going_on(at, [Event(at, EventKind.HOLD_PLACED), Event(until, EventKind.HOLD_LIFTED)])

    def _one_more_year(self, at: datetime) -> datetime:
        expires = self.expires_at(at)
        if expires is None:
            raise ValueError(f"nothing to renew at {at.isoformat()}")
        return expires + YEAR

    def _going_on(self, at: datetime, events: Iterable[Event]) -> "Life":
        return Life((*(event for event in self.events if event.at < at), *events))

    def phase_at(self, instant: datetime) -> Phase:
        """Where the domain stands at an instant; an event counts from its own instant on."""
        for event in reversed(self.events):
            if event.at <= instant:
                return _PHASE_AFTER[event.kind]
        return Phase.NEVER_REGISTERED

    def registered_at(self, instant: datetime) -> datetime | None:
        """When the registration that stands at an instant was made; None where nothing is registered."""
        registered = None
        for event in self.events:
            if event.at > instant:
                break
            if event.kind is EventKind.REGISTERED:
                registered = event.at
            elif event.kind is EventKind.RELEASED:
                registered = None
        return registered

    def expires_at(self, instant: datetime) -> datetime | None:
        """The date the owner has paid until, as the registrar knows it; None where nothing is registered.

        In auto-renew grace it lies in the past, while a registry already shows one year more.
        """
        paid = self._paid(instant)
        return paid.expires if paid else None

    def is_in_auto_renew_period(self, instant: datetime) -> bool:
        """Whether a registry can still be asked to undo the automatic renewal of a year that is paid for.

        It looks just like the grace of an owner who has not paid.
        """
        paid = self._paid(instant)
        return paid is not None and paid.kind is EventKind.AUTO_RENEWED and instant < auto_renew_period_end(paid)

    def _paid(self, instant: datetime) -> Event | None:
        """The payment that stands at an instant; None where nothing is registered."""
        paid = None
        for event in self.events:
            if event.at > instant:
                break
            if event.expires is not None:
                paid = event
            elif event.kind is EventKind.RELEASED:
                paid = None
        return paid
