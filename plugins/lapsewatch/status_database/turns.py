"""The turns at RDAP servers of all worker processes together, kept in the status database."""

import threading
from collections import defaultdict
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError

from lapsewatch.status_database.statements import statement


class SharedTurnBook:
    """A turn book (`clients/turns.py`) for every process that uses the same status database.

    Turns and pauses are rows with the database's own time, so that the clocks of the machines do not matter. Places
    are advisory locks of one session, which all threads of this process use in turn: a process that dies, however it
    dies, loses its session and thereby its places. The session must be the process's own: a pooler in front of
    PostgreSQL that hands out sessions by the transaction would scatter the locks.

    A context manager: leaving it ends the session. Errors of the database are raised as they are.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._session: Connection | None = None
        self._held: defaultdict[str, set[int]] = defaultdict(set)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session, and with it every place that is still held."""
        with self._lock:
            self._end_session()

    def take_place(self, host: str, places: int) -> int | None:
        """See TurnBook."""
        with self._lock:
            held = self._held[host]
            values = {"host": host, "places": places, "held": sorted(held)}
            place: int | None = self._execute("take_server_place", values).scalar_one()
            if place is not None:
                held.add(place)
            return place

    def leave_place(self, host: str, place: int) -> None:
        """See TurnBook. Does nothing where the session, and with it the place, was lost meanwhile."""
        with self._lock:
            if place in self._held[host]:
                self._held[host].discard(place)
                self._execute("leave_server_place", {"host": host, "place": place})

    def next_turn(self, host: str, seconds_between: float, patience: float) -> float | None:
        """See TurnBook."""
        values = {"host": host, "seconds_between": seconds_between, "patience": patience}
        with self._lock:
            seconds: float | None = self._execute("reserve_server_turn", values).scalar_one_or_none()
            return seconds

    def paused_for(self, host: str) -> float:
        """See TurnBook."""
        with self._lock:
            return self._execute("select_server_pause", {"host": host}).scalar_one_or_none() or 0.0

    def pause(self, host: str, seconds: float) -> None:
        """See TurnBook."""
        with self._lock:
            self._execute("pause_server", {"host": host, "seconds": seconds})

    def _execute(self, name: str, values: dict[str, Any]) -> CursorResult[Any]:
        if self._session is None:
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            return self._session.execute(statement(name), values)
        except DBAPIError as error:
            if error.connection_invalidated:
                self._end_session()
            raise

    def _end_session(self) -> None:
        session, self._session = self._session, None
        self._held.clear()
        if session is not None:
            # Back in the pool it would keep its locks.
            session.invalidate()
            session.close()
