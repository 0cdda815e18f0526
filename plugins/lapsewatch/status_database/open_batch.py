"""A batch that is being checked: its rows without an answer, held by one attempt at a time."""

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from lapsewatch.core.cadence import COHORTS
from lapsewatch.core.errors import Interrupted, Unavailable
from lapsewatch.status_database.patience import patiently
from lapsewatch.status_database.statements import statement

PAGE = 1_000
"""Rows that are read at a time: memory does not grow with the batch."""

ZOMBIE = 40.0
"""Seconds after which a lock that is still held is another attempt's: our own lost session is over by then."""

log = logging.getLogger(__name__)


class OpenBatch:
    """The open rows of a batch of a run's plan. A context manager: it is held from entering to leaving.

    Who enters waits for an attempt that holds it already, as one does that lives on although nobody waits for it. The
    hold is an advisory lock of the session that also writes; where the session is lost, the lock is taken again before
    anything else is written. While PostgreSQL is away, reading and writing wait for it, until `stop` is set.

    It keeps to the plan that it finds when it is held: where the run is planned anew meanwhile, what is still answered
    goes to the rows that asked for it, which are history. `api_interval` is that plan's.
    """

    def __init__(self, engine: Engine, run_id: str, batch: int, stop: threading.Event) -> None:
        self._engine = engine
        self._lock = {"run_id": run_id, "batch": batch}
        self._key: dict[str, object] = {}
        self.api_interval = COHORTS
        self._stop = stop
        self._session: Connection | None = None
        self._is_taken_over = False

    def __enter__(self) -> Self:
        """Raises Interrupted where it is told to stop while it waits."""
        try:
            session = self._connect()
            self._wait_for_others(session)
            plan = session.execute(statement("select_run_plan"), self._lock).one_or_none()
        except BaseException:
            self._end_session()
            raise
        self._key = self._lock | {"planned_at": plan.planned_at if plan else None}
        self.api_interval = plan.api_interval if plan else COHORTS
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_session()

    def count(self) -> int:
        """Return how many rows have no answer yet."""
        return patiently(self._count, self._stop)

    def rows(self) -> Iterator[tuple[str, Any]]:
        """Yield the domains with what is known of each (`core/case_json.py`), in their order."""
        after = ""
        while page := patiently(partial(self._page, after), self._stop):
            yield from page
            after = page[-1][0]

    def record(self, answers: Sequence[Mapping[str, object]], provider: str, policy: str) -> None:
        """Write the answers, as columns of `domain_check`; a row that has an answer keeps it.

        Raises Unavailable, when they are written, where another attempt has taken over.
        """
        values = self._key | {
            "answers": json.dumps(answers),
            "domains": [answer["domain"] for answer in answers],
            "provider": provider,
            "policy": policy,
        }
        written_count = patiently(lambda: self._record(values), self._stop)
        # Another attempt that had taken over may have ended since: it has answered some of them.
        if self._is_taken_over or written_count < len(answers):
            raise Unavailable("the status database was lost, and another attempt has taken over since")

    def _wait_for_others(self, session: Connection) -> None:
        is_told = False
        while not self._is_held_by(session):
            if not is_told:
                log.info("Batch %s: an earlier attempt is still at work, it is waited for", self._lock["batch"])
                is_told = True
            if self._stop.is_set():
                raise Interrupted("the task was told to end while it waited for an earlier attempt")
            time.sleep(1.0)

    def _count(self) -> int:
        with self._engine.connect() as connection:
            count: int = connection.execute(statement("count_open_checks"), self._key).scalar_one()
            return count

    def _page(self, after: str) -> list[tuple[str, Any]]:
        values = self._key | {"after": after, "most": PAGE}
        with self._engine.connect() as connection:
            return [(row.domain, row.previous) for row in connection.execute(statement("select_open_checks"), values)]

    def _record(self, values: dict[str, object]) -> int:
        """Return how many rows have these answers now."""
        try:
            return self._held_session().execute(statement("record_answers"), values).rowcount
        except DBAPIError:
            self._end_session()
            raise

    def _held_session(self) -> Connection:
        """Return the session that holds the batch; a new one where it was lost."""
        if self._session is not None:
            return self._session
        session = self._connect()
        latest = time.monotonic() + ZOMBIE
        while not self._is_held_by(session):
            if self._stop.is_set() or time.monotonic() >= latest:
                self._is_taken_over = True
                break
            time.sleep(1.0)
        return session

    def _connect(self) -> Connection:
        self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._session

    def _is_held_by(self, session: Connection) -> bool:
        return bool(session.execute(statement("lock_batch"), self._lock).one().is_held)

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # Back in the pool it would keep its lock.
            session.invalidate()
            session.close()
