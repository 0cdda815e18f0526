"""The call budget as a caller sees it, and the budget of a process that calls alone."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from lapsewatch.core.call_budget import (
    AGAIN_IN,
    MAX_PAUSE,
    PAUSE,
    RECOVERY,
    SLICE,
    SLOWED,
    SLOWED_AGAIN,
    SLOWEST_PACE,
    SOON,
    Allowance,
    Grant,
)
from lapsewatch.core.errors import BudgetSpent


class CallBudget(Protocol):
    """One caller's way to the budget, used from one thread at a time. Each method is one short statement."""

    def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
        """Return what the caller may do next.

        `wanted` are the calls that it has still to begin, `unused` those of them that an earlier grant allows: as long
        as there are any it is granted no others, and only keeps its share. `in_flight` are its calls on the wire, and
        those that it may begin before it is answered.
        Raises BudgetSpent where the calls of the day or the month are used up.
        """

    def refused(self, retry_after: float | None) -> None:
        """Make everybody pause and slow down: the service has refused a call (429), or asks for a pause.

        Who was refused reserves next, to learn how long the pause is.
        """

    def leave(self, unused: int) -> None:
        """End the caller: granted calls that were not begun are given back, and its share is free."""


class MemoryCallBudget:
    """The budget of a process that is the only caller."""

    def __init__(self, allowance: Allowance, clock: Callable[[], datetime] | None = None) -> None:
        self._allowance = allowance
        self._clock = clock or _steady_clock()
        self._next_turn_at = self._paused_until = self._clock()
        self._slowed_to, self._slowed_at = 1.0, self._clock() - timedelta(days=1)
        self._spent: Counter[date] = Counter()

    def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
        """See CallBudget."""
        now, places = self._clock(), self._allowance.max_in_flight
        pause = (self._paused_until - now).total_seconds()
        if wanted <= unused or unused > 0 or pause > 0:
            return Grant(0, max(0.0, pause), 0.0, places, min(AGAIN_IN, pause) if pause > 0 else AGAIN_IN)
        rate = self._allowance.requests_per_second * self._pace(now)
        count = min(wanted, max(1, int(rate * SLICE)), self._left(now))
        self._spent[now.date()] += count
        begins_at = max(self._next_turn_at, now - timedelta(seconds=SLICE))
        self._next_turn_at = begins_at + timedelta(seconds=count / rate)
        starts_in = max(0.0, (begins_at - now).total_seconds())
        ends_in = max(0.0, (self._next_turn_at - now).total_seconds())
        return Grant(count, starts_in, (ends_in - starts_in) / count, places, AGAIN_IN)

    def refused(self, retry_after: float | None) -> None:
        """See CallBudget. Calls that were in flight together are refused together, and slow down once."""
        now = self._clock()
        since = (now - self._slowed_at).total_seconds()
        if now >= self._paused_until and since >= PAUSE:
            slower = self._pace(now) * (SLOWED_AGAIN if since < SOON else SLOWED)
            self._slowed_to, self._slowed_at = max(SLOWEST_PACE, slower), now
        seconds = PAUSE if retry_after is None else min(max(0.0, retry_after), MAX_PAUSE)
        self._paused_until = max(self._paused_until, now + timedelta(seconds=seconds))
        self._next_turn_at = max(self._next_turn_at, self._paused_until)

    def leave(self, unused: int) -> None:
        """See CallBudget."""
        today = self._clock().date()
        self._spent[today] = max(0, self._spent[today] - unused)

    def _pace(self, now: datetime) -> float:
        """Return the share of the allowed rate that is in use."""
        return min(1.0, self._slowed_to + (now - self._slowed_at).total_seconds() * RECOVERY)

    def _left(self, now: datetime) -> int:
        """Return how many calls the day and the month still allow. Raises BudgetSpent where it is none."""
        today = now.date()
        first = today.replace(day=1)
        this_month = sum(count for day, count in self._spent.items() if day >= first)
        limits = [
            (self._allowance.calls_per_day, self._spent[today], today + timedelta(days=1)),
            (self._allowance.calls_per_month, this_month, (first + timedelta(days=32)).replace(day=1)),
        ]
        resumes_on = [day for limit, spent, day in limits if limit is not None and spent >= limit]
        if resumes_on:
            raise BudgetSpent(datetime(*max(resumes_on).timetuple()[:3], tzinfo=UTC))
        return min([limit - spent for limit, spent, _ in limits if limit is not None], default=2**31)


def _steady_clock() -> Callable[[], datetime]:
    """Return a clock in UTC that is never set back."""
    began_at, began = datetime.now(UTC), time.monotonic()
    return lambda: began_at + timedelta(seconds=time.monotonic() - began)
