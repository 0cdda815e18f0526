"""What the owner of an API allows all callers together, what one of them is granted, and what a refusal changes."""

from dataclasses import dataclass

SLICE = 0.25
"""Seconds. A grant is about so long a slice of the allowed rate, and a delay of up to so long is caught up."""

AGAIN_IN = 1.0
"""Seconds. A caller comes again within so long, at the latest."""

PAUSE = 1.0
"""Seconds for which everybody pauses after a refusal that does not say for how long."""

MAX_PAUSE = 3600.0
"""Seconds. A service that asks for a longer pause is asked again after this one."""

SLOWED = 0.95
SLOWED_AGAIN = 0.8
SOON = 3.0
"""To these shares of the pace does a refusal slow down: the first one, and one that follows within so many seconds."""

SLOWEST_PACE = 0.05
RECOVERY = 0.02 / 60
"""Shares of the allowed rate: never less than the first, and each second regains the second."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the API's owner allows all callers together; days and months are those of UTC, None is no limit."""

    requests_per_second: float = 20.0
    max_in_flight: int = 32
    calls_per_day: int | None = None
    calls_per_month: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a caller may do next; times are seconds from now.

    `count` is how many more calls it may begin: the first in `starts_in`, the others `seconds_between` one after the
    other. Before `starts_in` it begins none at all, also none that an earlier grant has allowed: everybody pauses.
    `max_in_flight` is how many calls it may have on the wire from now on, and may be 0 or less than it has now: then it
    begins none until enough have ended. After `again_in` it must come again, at the latest, to keep its share.
    """

    count: int
    starts_in: float
    seconds_between: float
    max_in_flight: int
    again_in: float
