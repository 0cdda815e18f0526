"""The turns that the budget has granted to one caller's event loop, and when to ask it for more."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from lapsewatch.clients.budget import CallBudget
from lapsewatch.core.call_budget import Grant
from lapsewatch.core.errors import BudgetSpent

LATE = 0.02
"""Seconds for which turns that have passed are made up for: an event loop is never quite on time."""


class GrantedTurns:
    """The turns that the budget has granted. The budget is asked in a thread, so that no call waits for it."""

    def __init__(self, budget: CallBudget) -> None:
        self._budget = budget
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="budget")
        self._asked: asyncio.Future[Grant] | None = None
        self._had_turns = False
        self._pauses: list[float | None] = []
        self._told_count = 0
        self._first_at = 0.0
        self._seconds_between = 0.0
        self._comes_at = 0.0
        self._renews_at = 0.0
        self.count = 0
        self.places = 0
        """Calls that may be in flight."""
        self.spent: BudgetSpent | None = None

    @property
    def next_at(self) -> float:
        """When the next call may begin (monotonic), infinitely late where no turn is left."""
        return self._first_at if self.count and not self._pauses else math.inf

    @property
    def opens_at(self) -> float:
        """When the next call may begin, or the budget can be asked for more turns."""
        if self.count or self._asked is not None or self.spent is not None:
            return self.next_at
        return self._comes_at

    def take(self, now: float) -> None:
        """Use the next turn. After a standstill the others follow at their distance, rather than all at once."""
        self.count -= 1
        self._first_at = max(self._first_at, now - LATE) + self._seconds_between

    def refused(self, retry_after: float | None) -> None:
        """Note that the service has refused a call: no turn is used until the budget has said for how long."""
        self._pauses.append(retry_after)

    def see_to(self, now: float, wanted: int, in_flight: int, on_answer: Callable[[], None]) -> None:
        """Read what the budget has said, and ask it again in time. `on_answer` is called when it has spoken."""
        if self._asked is not None and self._asked.done():
            self._read(self._asked, now)
        needs_turns = wanted > 0 and not self.count and in_flight < self.places and now >= self._comes_at
        keeps_share = (wanted > 0 or in_flight > 0) and now >= self._renews_at
        if self._asked is None and (self._pauses or (self.spent is None and (needs_turns or keeps_share))):
            pauses, unused = list(self._pauses), self.count
            self._told_count, self._had_turns = len(pauses), unused > 0
            # Turns in hand may be used, in the places there are, before the budget has answered.
            may_be = max(in_flight, min(in_flight + unused, self.places))
            self._asked = self._in_thread(lambda: self._ask(pauses, wanted, may_be, unused))
            self._asked.add_done_callback(lambda _: on_answer())

    async def give_back(self) -> None:
        """Leave the budget, whatever it says."""
        with suppress(Exception):
            if self._asked is not None:
                self.count += (await self._asked).count
        with suppress(Exception):
            await self._in_thread(lambda: self._budget.leave(self.count))
        self._thread.shutdown()

    def _ask(self, pauses: list[float | None], wanted: int, in_flight: int, unused: int) -> Grant:
        if pauses:
            self._budget.refused(max((pause for pause in pauses if pause is not None), default=None))
        return self._budget.reserve(wanted, in_flight, unused)

    def _read(self, asked: asyncio.Future[Grant], now: float) -> None:
        self._asked = None
        del self._pauses[: self._told_count]
        try:
            grant = asked.result()
        except BudgetSpent as error:
            self.spent = error
            return
        self.places = grant.max_in_flight
        self._renews_at = now + grant.again_in
        # Who has turns is granted no others, and may have used them up meanwhile: it comes again as soon as it has.
        self._comes_at = now if grant.count or self._had_turns else self._renews_at
        if grant.count:
            self.count += grant.count
            self._first_at, self._seconds_between = now + grant.starts_in, grant.seconds_between
        elif grant.starts_in:
            self._first_at = max(self._first_at, now + grant.starts_in)

    def _in_thread(self, act: Callable[[], Any]) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._thread, act)
