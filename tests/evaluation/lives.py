"""Hand-made domains of a year, days counted from the contest's epoch, and weather to order."""

from collections.abc import Mapping
from datetime import datetime

from evaluation.outlook import Shown, Skies
from evaluation.routes import lapse_of
from evaluation.score import Scene
from evaluation.year import DAY, DAYS, EPOCH
from simulator.delegations import Delegation
from simulator.faults import FaultKind
from simulator.lives import Life, Phase
from simulator.year.domains import YearDomain

PARKED_IN_GRACE = {Phase.GRACE: Delegation.PARKED}


def noon(day: float) -> datetime:
    return EPOCH + (day + 0.5) * DAY


def lapsing(day: float = 100, grace: float = 40) -> Life:
    """Expires on that day: redemption from day + grace on, pending delete 30 days later, released 5 days later."""
    return Life.lapsing(noon(day), grace=grace * DAY)


def auctioned(day: float = 100) -> Life:
    return lapsing(day, grace=50).auctioned(noon(day + 43))


def made(
    life: Life,
    tld: str = "com",
    quirks: Mapping[Phase, str] | None = None,
    delegations: Mapping[Phase, Delegation] | None = None,
    sold_at: datetime | None = None,
    address_count: int = 1,
) -> YearDomain:
    return YearDomain(f"invented.{tld}", life, quirks or {}, delegations or {}, sold_at, "of the kind", address_count)


def scene(domain: YearDomain, skies: Skies | None = None, weight: int = 1) -> Scene:
    shown = Shown(domain)
    return Scene(domain, shown, lapse_of(domain, shown), skies or Skies(None), weight)


def bad_days(kind: FaultKind, *days: int, service: str = "status_api") -> Skies:
    """A service fails in one way at the runs of these days, under every top-level domain."""
    skies = Skies(None)
    faults = tuple(kind if day in days else None for day in range(DAYS))
    setattr(skies, service, lambda _tld: faults)
    return skies
