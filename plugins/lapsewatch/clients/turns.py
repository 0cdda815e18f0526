"""Politeness towards servers that are asked by many at once: each server host has a rate, a few places, and pauses.

Registries publish no limits for their RDAP servers and refuse whoever asks too much, for all of that address's
workers at once. So whoever wants to ask takes a turn first. Where the turns of a host are kept is a `TurnBook`: in
memory for a single process, in the status database for all workers together (`status_database/turns.py`).
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Protocol, TypeVar

from lapsewatch.clients.errors import RateLimited
from lapsewatch.core.evidence import NoEvidenceReason

Item = TypeVar("Item")

PATIENCE = 30.0
"""Seconds. A host that is paused for longer is not waited for: the domain is left to the next run."""

POLL_SECONDS = (0.005, 0.25)
"""The shortest and the longest wait between two looks for a free place."""


@dataclass(frozen=True, slots=True)
class ServerPace:
    """How hard a server host may be asked by everybody together; about one a second is a safe habit with RDAP."""

    requests_per_second: float = 1.0
    max_in_flight: int = 2


@dataclass(frozen=True, slots=True)
class Paces:
    """The pace of every server host (`name` or `name:port`), unless a host has one of its own."""

    default: ServerPace = ServerPace()
    by_host: Mapping[str, ServerPace] = field(default_factory=dict)

    def of(self, host: str) -> ServerPace:
        """Return the pace of one host."""
        return self.by_host.get(host, self.default)


class TurnBook(Protocol):
    """Where the turns at server hosts are kept. Every method is atomic and returns at once; times are seconds."""

    def take_place(self, host: str, places: int) -> int | None:
        """Take one of `places` numbered places at the host; None where all are taken."""

    def leave_place(self, host: str, place: int) -> None:
        """Give a place back. Whoever dies without doing so gives it back by dying."""

    def next_turn(self, host: str, seconds_between: float, patience: float) -> float | None:
        """Reserve the host's next turn and return how long it is until then.

        Reserves nothing and returns None where the host is paused for longer than `patience`.
        """

    def paused_for(self, host: str) -> float:
        """Return for how long the host is still paused; 0 where it is not."""

    def pause(self, host: str, seconds: float) -> None:
        """Pause the host for everybody; a longer pause that already stands is kept."""


class Turns:
    """Turns at server hosts, kept in a book, at a pace. May be used by any number of threads."""

    def __init__(self, book: TurnBook, paces: Paces | None = None) -> None:
        self._book = book
        self._paces = paces or Paces()
        self._queues: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for a turn at the host and hold a place there for the body, which asks once.

        Raises RateLimited (SERVER_PAUSED, with the rest of the pause) where the host is paused for longer than
        PATIENCE. The place comes before the turn: so only those who are about to ask reserve turns, and a pause
        leaves no queue of stale ones behind.
        """
        pace = self._paces.of(host)
        with self._queue(host, pace):
            place = self._wait_for_place(host, pace)
            try:
                self._wait_for_turn(host, pace)
                yield
            finally:
                self._book.leave_place(host, place)

    def pause(self, host: str, seconds: float) -> None:
        """Pause the host for everybody."""
        self._book.pause(host, seconds)

    def _queue(self, host: str, pace: ServerPace) -> threading.Semaphore:
        """Threads of one process wait here, so that no more of them look for a place than there are places."""
        with self._lock:
            return self._queues.setdefault(host, threading.Semaphore(pace.max_in_flight))

    def _wait_for_place(self, host: str, pace: ServerPace) -> int:
        shortest, longest = POLL_SECONDS
        seconds = min(max(1 / pace.requests_per_second, shortest), longest)
        while (place := self._book.take_place(host, pace.max_in_flight)) is None:
            self._raise_if_paused(host)
            time.sleep(seconds * random.uniform(0.5, 1.5))
        return place

    def _wait_for_turn(self, host: str, pace: ServerPace) -> None:
        while True:
            seconds = self._book.next_turn(host, 1 / pace.requests_per_second, PATIENCE)
            if seconds is None:
                self._raise_if_paused(host)
                continue
            if seconds <= 0:
                return
            time.sleep(seconds)
            # Somebody may have been refused meanwhile.
            if not self._book.paused_for(host):
                return

    def _raise_if_paused(self, host: str) -> None:
        if (seconds := self._book.paused_for(host)) > PATIENCE:
            raise RateLimited(NoEvidenceReason.SERVER_PAUSED, "the server is paused", retry_after=seconds)


def by_turns(items: Iterable[Item], domain_of: Callable[[Item], str]) -> Iterator[Item]:
    """Yield the items with their top-level domains taking turns: each server has its own pace, and all work at once."""
    of_tld: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        of_tld[domain_of(item).rpartition(".")[2]].append(item)
    return (item for item in chain.from_iterable(zip_longest(*of_tld.values())) if item is not None)


@dataclass(slots=True)
class _Host:
    next_turn_at: float
    paused_until: float
    taken: set[int] = field(default_factory=set)


class MemoryTurnBook:
    """The turns of one process, for its threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def take_place(self, host: str, places: int) -> int | None:
        """See TurnBook."""
        with self._lock:
            taken = self._host(host).taken
            place = next((number for number in range(1, places + 1) if number not in taken), None)
            if place is not None:
                taken.add(place)
            return place

    def leave_place(self, host: str, place: int) -> None:
        """See TurnBook."""
        with self._lock:
            self._host(host).taken.discard(place)

    def next_turn(self, host: str, seconds_between: float, patience: float) -> float | None:
        """See TurnBook."""
        with self._lock:
            state, now = self._host(host), self._clock()
            if state.paused_until > now + patience:
                return None
            turn_at = max(state.next_turn_at, state.paused_until, now)
            state.next_turn_at = turn_at + seconds_between
            return turn_at - now

    def paused_for(self, host: str) -> float:
        """See TurnBook."""
        with self._lock:
            return max(0.0, self._host(host).paused_until - self._clock())

    def pause(self, host: str, seconds: float) -> None:
        """See TurnBook."""
        with self._lock:
            state = self._host(host)
            state.paused_until = max(state.paused_until, self._clock() + seconds)

    def _host(self, host: str) -> _Host:
        now = self._clock()
        return self._hosts.setdefault(host, _Host(next_turn_at=now, paused_until=now))
