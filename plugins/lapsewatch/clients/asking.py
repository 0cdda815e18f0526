"""Asks a status API about many domains: many in flight, at a pace, patiently, and never twice at once for one."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import requests
from pyrate_limiter import Duration, Limiter, Rate
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception

from lapsewatch.clients.errors import ClientError, Refused
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.evidence import NoEvidence, Outcome

MAX_ATTEMPTS = 4
MAX_PAUSE = 60.0
"""Seconds. A service that asks for a longer pause gets it: the domain is left to the next run."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard one task may ask: calls a second, and calls in flight."""

    requests_per_second: float = 20.0
    max_in_flight: int = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one domain: the outcome, when it was known (UTC), the last call's latency, and the calls made."""

    domain: str
    outcome: Outcome
    checked_at: datetime
    latency_ms: int
    call_count: int


def pooled_session(max_in_flight: int) -> requests.Session:
    """Return a session that keeps a connection for every call in flight. Retries are ours, so that they are counted."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=max_in_flight, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def ask_all(
    client: StatusClient, domains: Iterable[str], pace: Pace, clock: Callable[[], datetime]
) -> Iterator[Answer]:
    """Ask about every domain and yield the answers as they arrive, dated by the clock.

    Holds no more than twice the calls in flight, however many domains there are. Raises Refused as soon as the service
    refuses the key; everything else that goes wrong with a domain is an answer without evidence.
    """
    gate = _Gate(pace.requests_per_second)
    waiting = iter(domains)
    with ThreadPoolExecutor(pace.max_in_flight, thread_name_prefix="ask") as pool:
        asked: set[Future[Answer]] = set()
        try:
            while True:
                room = 2 * pace.max_in_flight - len(asked)
                asked.update(pool.submit(_ask, client, domain, gate, clock) for domain in islice(waiting, room))
                if not asked:
                    return
                done, asked = wait(asked, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            gate.close()
            pool.shutdown(cancel_futures=True)


class _Gate:
    """Lets calls through at a rate, and none at all while the service has asked for a pause."""

    def __init__(self, requests_per_second: float) -> None:
        if requests_per_second >= 1:
            rate = Rate(int(requests_per_second), Duration.SECOND)
        else:
            rate = Rate(1, round(Duration.SECOND.value / requests_per_second))
        self._limiter = Limiter(rate)
        self._opens_at = time.monotonic()
        self._closed = threading.Event()

    def enter(self) -> None:
        """Wait for a place. Raises RuntimeError once the gate is closed: nobody waits for the answer any more."""
        while (seconds := self._opens_at - time.monotonic()) > 0:
            self._closed.wait(seconds)
            self._raise_if_closed()
        self._limiter.try_acquire("status_api")
        self._raise_if_closed()

    def pause(self, seconds: float) -> None:
        self._opens_at = max(self._opens_at, time.monotonic() + seconds)

    def close(self) -> None:
        self._closed.set()

    def _raise_if_closed(self) -> None:
        if self._closed.is_set():
            raise RuntimeError("the batch has ended")


def _ask(client: StatusClient, domain: str, gate: _Gate, clock: Callable[[], datetime]) -> Answer:
    calls = 0
    latency_ms = 0

    def ask_once() -> Outcome:
        nonlocal calls, latency_ms
        gate.enter()
        calls += 1
        started = time.monotonic()
        try:
            return client.status(domain)
        except ClientError as error:
            if error.retry_after is not None and error.retry_after <= MAX_PAUSE:
                gate.pause(error.retry_after)
            raise
        finally:
            latency_ms = round((time.monotonic() - started) * 1000)

    retrying = Retrying(retry=retry_if_exception(_may_help), stop=_is_patience_over, wait=_backoff, reraise=True)
    try:
        outcome = retrying(ask_once)
    except Refused:
        raise
    except ClientError as error:
        outcome = NoEvidence(error.reason, error.raw)
    return Answer(domain, outcome, clock(), latency_ms, calls)


def _may_help(error: BaseException) -> bool:
    return isinstance(error, ClientError) and error.is_transient


def _is_patience_over(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    wanted = error.retry_after if isinstance(error, ClientError) else None
    return state.attempt_number >= MAX_ATTEMPTS or (wanted or 0) > MAX_PAUSE


def _backoff(state: RetryCallState) -> float:
    """Exponential backoff with full jitter (0.25, 0.5, 1 s at most); a pause that was asked for is the gate's."""
    return random.uniform(0, 0.25 * 2 ** (state.attempt_number - 1))
