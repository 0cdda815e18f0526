"""What the adaptive cadence's figures hang on: the same year where one assumption is another.

Only what differs is played, as it is and as it would be, and the difference counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from evaluation.outlook import Outlook, Skies
from evaluation.score import Scene, Tally
from evaluation.watchers import Watcher
from simulator.faults import FaultKind, Service
from simulator.year.assumptions import ASSUMPTIONS

_BAD_DAY = (Service.STATUS, FaultKind.FALSE_INACTIVE)

LONGER_BAD_DAY = replace(
    ASSUMPTIONS,
    troubles=tuple(
        replace(trouble, hours=(48, 48)) if trouble.certain and _BAD_DAY in trouble.faults else trouble
        for trouble in ASSUMPTIONS.troubles
    ),
)

OTHER_DOMAINS = {
    "2 % of the domains that are paid for lose their mail for good": replace(ASSUMPTIONS, mail_lost_in_a_year=0.02),
    "winners of auctions get the domain on day 30-44": replace(ASSUMPTIONS, auctioned_on_day=(30, 44)),
}
"""Assumptions about domains, by what they say; each a variant of the world."""

OTHER_WEATHER = {"the bad day lasts 48 hours": LONGER_BAD_DAY}
"""Assumptions about the weather."""


@dataclass
class Change:
    """What came of the domains that another assumption could make a difference to: as it is, and as it would be."""

    as_is: Tally = field(default_factory=Tally)
    changed: Tally = field(default_factory=Tally)

    def add(self, other: "Change") -> None:
        """Add what came of other domains."""
        self.as_is.add(other.as_is)
        self.changed.add(other.changed)

    def score(self, watcher: Watcher, as_is: Scene, changed: Scene) -> None:
        """Let a watcher play a domain in both worlds."""
        self.as_is.score(watcher, as_is, with_reasons=False)
        self.changed.score(watcher, changed, with_reasons=False)


def met_other_weather(seen: Outlook, tld: str, as_is: Skies, changed: Skies) -> bool:
    """Tell whether a status API that fails on other days would have told anything else to who asked as they did.

    Until the first such answer they ask and hear the same in both worlds.
    """
    return _differ(as_is.status_api(tld), changed.status_api(tld), seen.api_days)


def _differ(some: Sequence[object], others: Sequence[object], days: Sequence[int]) -> bool:
    return some is not others and any(some[day] is not others[day] for day in days)
