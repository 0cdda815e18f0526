"""Asks a status API about many domains: many in flight, at the budget's turns, patiently, and never twice at once."""

import asyncio
import heapq
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from queue import SimpleQueue

from lapsewatch.clients.budget import CallBudget
from lapsewatch.clients.errors import ClientError, Refused
from lapsewatch.clients.granted_turns import GrantedTurns
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.errors import Unavailable
from lapsewatch.core.evidence import NoEvidence, NoEvidenceReason, Outcome

MAX_ATTEMPTS = 4
MAX_PAUSE = 60.0
"""Seconds. A service that asks for a longer pause gets it: the domain is left to the next run."""

MAX_SILENCE = 200
"""Answers in a row without a word about a domain, after which the API is taken for dead and no more is asked."""

SILENCE = {
    NoEvidenceReason.TIMEOUT,
    NoEvidenceReason.UNREACHABLE,
    NoEvidenceReason.SERVER_ERROR,
    NoEvidenceReason.RATE_LIMITED,
}
"""Also a refusal that outlasts all pauses: the owner's quota is used up, and each further domain would cost calls."""

ANSWERS_TOGETHER = 100
MAX_DELAY = 1.0
"""Answers are handed over so many at a time, and after so many seconds at the latest."""

DRAIN = 3.5
"""Seconds for which calls in flight are awaited when asking is to stop: Airflow kills a task after five."""

READ_AHEAD = 500
"""Domains that are read before there is room for them."""

TICK = 0.25
"""Seconds after which it is looked up, at the latest, whether to stop, and whether the budget wants to be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one domain: the outcome, when it was known (UTC), the last call's latency, and the calls made."""

    domain: str
    outcome: Outcome
    checked_at: datetime
    latency_ms: int
    call_count: int


def ask_all(
    client: StatusClient,
    domains: Iterable[str],
    budget: CallBudget,
    clock: Callable[[], datetime],
    *,
    count: int,
    stop: threading.Event | None = None,
) -> Generator[list[Answer], None, None]:
    """Ask about every domain; yield the answers as they arrive, some at a time, dated by the clock.

    `count` is about how many domains there are; they are read in another thread, a few hundred ahead. No more than
    twice the calls that the budget allows in flight are held: whoever is slow to take answers slows down the asking.
    Once `stop` is set no call is begun, those in flight are awaited for `DRAIN` seconds, and the answers end.

    What goes wrong with a domain is an answer without evidence. Raises, when the answers so far have been taken:
    Refused as soon as the service refuses the key, BudgetSpent when the granted calls are made, Unavailable where the
    service is dead; and what `domains` and the budget raise.
    """
    asking = _Asking(client, iter(domains), budget, clock, count, stop or threading.Event())
    with ThreadPoolExecutor(1, thread_name_prefix="asking") as pool:
        asked = pool.submit(asyncio.run, asking.run())
        try:
            while (answers := asking.handed_over.get()) is not None:
                yield answers
                asking.taken(len(answers))
        finally:
            asking.abandon()
        asked.result()


@dataclass(order=True, slots=True)
class _Question:
    """A domain on its way to an answer; in the order in which questions may be asked again."""

    ready_at: float
    domain: str = field(compare=False)
    calls: int = field(default=0, compare=False)


class _Asking:
    """The asking itself, in an event loop; `taken` and `abandon` are for the thread that takes the answers."""

    def __init__(
        self,
        client: StatusClient,
        domains: Iterator[str],
        budget: CallBudget,
        clock: Callable[[], datetime],
        count: int,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._domains = domains
        self._clock = clock
        self._stop = stop
        self._turns = GrantedTurns(budget)
        self._unread = count
        self._is_read = False
        self._reading: asyncio.Task[list[str]] | None = None
        self._fresh: deque[str] = deque()
        self._again: list[_Question] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._silent_count = 0
        self._asked_count = 0
        self._taken_count = 0
        self._arrived: list[Answer] = []
        self._arrived_at = 0.0
        self._failure: Exception | None = None
        self._is_abandoned = False
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.handed_over: SimpleQueue[list[Answer] | None] = SimpleQueue()
        """Answers, some at a time, and None at the end."""

    def taken(self, count: int) -> None:
        """Say that so many of the answers are no longer held."""
        self._taken_count += count
        self._wake_up()

    def abandon(self) -> None:
        """Say that nobody waits for the answers any more: it ends at once."""
        self._is_abandoned = True
        self._wake_up()

    def _wake_up(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._changed.set)

    async def run(self) -> None:
        """Ask until there is nothing left, or no more may be asked. Raises what `ask_all` says."""
        self._loop = asyncio.get_running_loop()
        try:
            async with self._client.session:
                try:
                    await self._ask_until_done()
                finally:
                    await self._end()
        finally:
            self.handed_over.put(None)

    async def _ask_until_done(self) -> None:
        while not (self._is_abandoned or self._stop.is_set()):
            now = time.monotonic()
            self._read_ahead()
            self._turns.see_to(now, self._wanted(), len(self._calls), self._changed.set)
            self._begin_calls(now)
            self._hand_over(now)
            if self._is_over():
                return
            await self._wait_until(self._next_event(now))
        latest = time.monotonic() + DRAIN
        while self._calls and not self._is_abandoned and (now := time.monotonic()) < latest:
            self._hand_over(now)
            await self._wait_until(min(latest, now + TICK))

    async def _end(self) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        self._hand_over()
        await self._turns.give_back()

    async def _wait_until(self, when: float) -> None:
        """Wait until then, or until something has happened."""
        alarm = asyncio.get_running_loop().call_later(max(0.0, when - time.monotonic()), self._changed.set)
        await self._changed.wait()
        self._changed.clear()
        alarm.cancel()

    def _is_over(self) -> bool:
        """Tell whether every domain has its answer. Raises what has gone wrong, or BudgetSpent when no more may be."""
        if self._failure is not None:
            raise self._failure
        if self._calls:
            return False
        if self._is_read and not self._fresh and not self._again:
            return True
        if self._turns.spent is not None and not self._turns.count:
            raise self._turns.spent
        return False

    def _next_event(self, now: float) -> float:
        """Return when there will be something to do, if nothing happens before."""
        times = [now + TICK]
        if self._arrived:
            times.append(self._arrived_at + MAX_DELAY)
        if len(self._calls) < self._turns.places:
            if self._has_fresh():
                times.append(self._turns.opens_at)
            elif self._again:
                times.append(max(self._again[0].ready_at, self._turns.opens_at))
        return min(times)

    def _read_ahead(self) -> None:
        if self._reading is not None and self._reading.done():
            found = self._reading.result()
            self._reading = None
            self._fresh.extend(found)
            self._unread = max(0, self._unread - len(found))
            self._is_read = len(found) < READ_AHEAD
        if self._reading is None and not self._is_read and len(self._fresh) < READ_AHEAD:
            self._reading = asyncio.create_task(asyncio.to_thread(lambda: list(islice(self._domains, READ_AHEAD))))
            self._reading.add_done_callback(lambda _: self._changed.set())

    def _wanted(self) -> int:
        """Return about how many calls are still to be begun."""
        return (0 if self._is_read else self._unread) + len(self._fresh) + len(self._again)

    def _has_fresh(self) -> bool:
        """Tell whether there is a domain that nobody has been asked about yet, and room for its answer."""
        return bool(self._fresh) and self._asked_count - self._taken_count < 2 * self._turns.places

    def _begin_calls(self, now: float) -> None:
        while len(self._calls) < self._turns.places and self._turns.next_at <= now:
            if self._again and self._again[0].ready_at <= now:
                question = heapq.heappop(self._again)
            elif self._has_fresh():
                question = _Question(now, self._fresh.popleft())
                self._asked_count += 1
            else:
                return
            self._turns.take(now)
            call = asyncio.create_task(self._ask(question))
            self._calls.add(call)
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if not call.cancelled() and isinstance(error := call.exception(), Exception):
            self._failure = self._failure or error
        self._changed.set()

    async def _ask(self, question: _Question) -> None:
        question.calls += 1
        began = time.monotonic()
        outcome: Outcome
        try:
            outcome = await self._client.status(question.domain)
        except Refused:
            raise
        except ClientError as error:
            if self._is_asked_again(question, error):
                return
            outcome = NoEvidence(error.reason, error.raw)
        now = time.monotonic()
        if not self._arrived:
            self._arrived_at = now
        latency_ms = round((now - began) * 1000)
        self._arrived.append(Answer(question.domain, outcome, self._clock(), latency_ms, question.calls))
        self._listen(outcome)

    def _is_asked_again(self, question: _Question, error: ClientError) -> bool:
        """Hear what went wrong; where asking again may help, have it done later."""
        if error.retry_after is not None or error.reason is NoEvidenceReason.RATE_LIMITED:
            self._turns.refused(error.retry_after)
        may_help = error.is_transient and question.calls < MAX_ATTEMPTS and (error.retry_after or 0) <= MAX_PAUSE
        if may_help:
            question.ready_at = time.monotonic() + _backoff(question.calls)
            heapq.heappush(self._again, question)
        return may_help

    def _listen(self, outcome: Outcome) -> None:
        is_silence = isinstance(outcome, NoEvidence) and outcome.reason in SILENCE
        self._silent_count = self._silent_count + 1 if is_silence else 0
        if self._silent_count >= MAX_SILENCE:
            raise Unavailable(f"the status API tells nothing: {MAX_SILENCE} domains in a row without a word")

    def _hand_over(self, now: float | None = None) -> None:
        """Hand over what has arrived, where it is much, or has waited; whatever there is without a time."""
        is_much = len(self._arrived) >= min(ANSWERS_TOGETHER, self._turns.places)
        if self._arrived and (now is None or is_much or now >= self._arrived_at + MAX_DELAY):
            self.handed_over.put(self._arrived)
            self._arrived = []


def _backoff(attempts: int) -> float:
    """Exponential backoff with full jitter (0.25, 0.5, 1 s at most); a pause that was asked for is the budget's."""
    return random.uniform(0, 0.25 * 2 ** (attempts - 1))
