"""The call budget of all tasks on all workers together, kept in the status database."""

import time
from datetime import UTC
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError

from lapsewatch.core.call_budget import (
    MAX_PAUSE,
    PAUSE,
    SLOWED,
    SLOWED_AGAIN,
    SLOWEST_PACE,
    SOON,
    Allowance,
    Grant,
)
from lapsewatch.core.errors import BudgetSpent
from lapsewatch.status_database.statements import statement

COUNT_DUE_EVERY = 60.0
"""Seconds between two looks at how many calls the daily run still needs."""


class SharedCallBudget:
    """One caller's way to the budget (`clients/budget.py`) that all callers on this status database share.

    Turns are granted one caller after the other, by the database's clock. Who is not of a backfill comes first: while
    one of those asks, a backfill has only the turns and places that are free, and of the calls of the day and the month
    it leaves what the daily run needs, up to half of them. Otherwise all share alike. Who does not come again for ten
    seconds is taken for dead, and has nothing any more. `run_rate` are the calls a second of all callers of the run.

    A context manager: leaving it ends the session. Errors of the database are raised as they are; the next call
    connects anew.
    """

    def __init__(
        self,
        engine: Engine,
        provider: str,
        allowance: Allowance,
        *,
        run_id: str,
        is_backfill: bool = False,
        run_rate: float | None = None,
    ) -> None:
        self._engine = engine
        self._key = {"provider": provider, "caller": uuid4()}
        self._terms = {
            "run_id": run_id,
            "is_backfill": is_backfill,
            "requests_per_second": allowance.requests_per_second,
            "max_in_flight": allowance.max_in_flight,
            "calls_per_day": allowance.calls_per_day,
            "calls_per_month": allowance.calls_per_month,
            "run_rate": run_rate,
        }
        self._limit = min(
            (limit for limit in (allowance.calls_per_day, allowance.calls_per_month) if limit is not None), default=None
        )
        self._keeps_back = is_backfill
        self._due = {"due_today": 0, "due_a_day": 0}
        self._count_due_at = time.monotonic()
        self._session: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_session()

    def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
        """See CallBudget. A backfill that only the daily run's needs hold up is told to look again in a quarter of an
        hour.
        """
        if self._keeps_back and self._limit is not None and time.monotonic() >= self._count_due_at:
            counted = self._execute("count_due_domains", {"most": self._limit}).one()
            self._due = {"due_today": counted.today, "due_a_day": max(counted.today, counted.tomorrow)}
            self._count_due_at = time.monotonic() + COUNT_DUE_EVERY
        values = {"wanted": wanted, "in_flight": in_flight, "unused": unused}
        granted = self._execute("reserve_calls", self._key | self._terms | self._due | values).one()
        if granted.resumes_at is not None:
            raise BudgetSpent(granted.resumes_at.astimezone(UTC), is_kept_back=granted.is_kept_back)
        return Grant(
            granted.call_count, granted.starts_in, granted.seconds_between, granted.place_count, granted.again_in
        )

    def refused(self, retry_after: float | None) -> None:
        """See CallBudget."""
        seconds = PAUSE if retry_after is None else min(max(0.0, retry_after), MAX_PAUSE)
        values = {
            "provider": self._key["provider"],
            "seconds": seconds,
            "pause": PAUSE,
            "soon": SOON,
            "slowed": SLOWED,
            "slowed_again": SLOWED_AGAIN,
            "slowest_pace": SLOWEST_PACE,
        }
        self._execute("refuse_calls", values)

    def leave(self, unused: int) -> None:
        """See CallBudget."""
        self._execute("leave_call_budget", self._key | {"unused": unused})

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
        if session is not None:
            session.close()
