"""The truth about a lapse: by which route a stranger could come by the mail, and what the public record showed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lapsewatch.core.cadence import COHORTS
from lapsewatch.core.evidence import Flag
from lapsewatch.core.lifecycle import is_mail_gone

from evaluation.outlook import DNS_READINGS, Shown
from evaluation.year import COUNTED_FROM, COUNTED_UNTIL, DAY, EPOCH
from simulator.lives import EventKind, Life
from simulator.year.domains import Exposure, YearDomain, exposed_at
from simulator.year.sights import Sight


class Route(StrEnum):
    """How a domain comes into a stranger's hands, and what anybody could see of it beforehand."""

    REGISTRY_TELLS = "redemption, the registry answers"
    FLAGS_TELL = "redemption, no registry to ask, announced by the status API"
    NOBODY_TELLS = "redemption, no registry to ask, never announced"
    AUCTION_SEEN = "auction in grace, shown by the registry, the mail lost meanwhile"
    AUCTION_UNSEEN = "auction in grace, the mail as it was, or grace not shown"
    AUCTION_UNHEARD = "auction in grace, no registry to ask"
    SOLD = "quiet sale"


VISIBLE = (Route.REGISTRY_TELLS, Route.FLAGS_TELL, Route.AUCTION_SEEN)
"""The lapses that any observer could have seen: the public record told them apart from a domain that is neglected."""

KNOWN_FROM = EPOCH + COHORTS * DAY
"""By then everybody who asks as often as every 30 days has asked about every domain."""

SHOWN_FOR = DAY
"""So long must something have been shown to count as visible: every observer has a run in that time."""

_ANNOUNCED = {Flag.EXPIRING.value, Flag.DELETING.value}
_TAKEN = {EventKind.REGISTERED, EventKind.HANDED_OVER}


@dataclass(frozen=True, slots=True)
class Lapse:
    """A lapse of the counted year: when it began, when a stranger could first receive mail, and by which route.

    It begins with the date to which the domain was paid for, or with its sale. `redemption_at` is None where there was
    none, `held_at`, when a stranger first had the domain, where none has come.
    """

    began_at: datetime
    exposed_at: datetime
    route: Route
    redemption_at: datetime | None
    held_at: datetime | None


def lapse_of(domain: YearDomain, shown: Shown) -> Lapse | None:
    """Return the domain's lapse; None where no stranger could receive its mail in the counted year.

    One that came to its date before everybody had been asked about it once is none of this contest's.
    """
    exposure = exposed_at(domain)
    if exposure is None or not COUNTED_FROM <= exposure[0] < COUNTED_UNTIL:
        return None
    at, how = exposure
    expired_at = _last(domain.life, EventKind.EXPIRED, at) or at
    if expired_at < KNOWN_FROM:
        return None
    if how is Exposure.SOLD:
        return Lapse(at, at, Route.SOLD, None, at)
    route = _route(shown, expired_at, at, how)
    held_at = next((event.at for event in domain.life.events if event.at >= at and event.kind in _TAKEN), None)
    redemption_at = _last(domain.life, EventKind.REDEMPTION_BEGUN, at) if how is Exposure.RELEASED else None
    return Lapse(expired_at, at, route, redemption_at, held_at)


def _route(shown: Shown, expired_at: datetime, at: datetime, how: Exposure) -> Route:
    answers, seen = shown.has_registry, shown.sights
    if how is Exposure.HANDED_OVER:
        if not answers:
            return Route.AUCTION_UNHEARD
        # Who had no mail before looks the same in grace as a neglected domain that is paid for.
        had_mail = not any(_has_no_mail(sight) for sight in _last_before(seen, expired_at))
        is_seen = had_mail and _shows(seen, expired_at, at, _is_grace_without_mail)
        return Route.AUCTION_SEEN if is_seen else Route.AUCTION_UNSEEN
    if answers:
        return Route.REGISTRY_TELLS
    return Route.FLAGS_TELL if _shows(seen, expired_at, at, _is_announced) else Route.NOBODY_TELLS


def _last(life: Life, kind: EventKind, before: datetime) -> datetime | None:
    return max((event.at for event in life.events if event.kind is kind and event.at < before), default=None)


def _shows(seen: Sequence[Sight], begin: datetime, end: datetime, tells: Callable[[Sight], bool]) -> bool:
    """Tell whether, between two instants, something was shown for a day without a break."""
    ends = [*(sight.since for sight in seen[1:]), end]
    shown_since = None
    for sight, until in zip(seen, ends, strict=True):
        if not tells(sight):
            shown_since = None
        elif sight.since < end:
            shown_since = shown_since or max(sight.since, begin)
            if min(until, end) - shown_since >= SHOWN_FOR:
                return True
    return False


def _is_announced(sight: Sight) -> bool:
    return sight.flags.rpartition(" ")[2] in _ANNOUNCED


def _is_grace_without_mail(sight: Sight) -> bool:
    is_grace = sight.registry_status is not None and "auto renew period" in sight.registry_status
    return is_grace and _has_no_mail(sight)


def _has_no_mail(sight: Sight) -> bool:
    return is_mail_gone(DNS_READINGS[sight.delegation])


def _last_before(seen: Sequence[Sight], instant: datetime) -> Sequence[Sight]:
    return [sight for sight in seen if sight.since < instant][-1:]
