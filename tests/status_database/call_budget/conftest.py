"""What the tests of the shared call budget share: callers that join it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from lapsewatch.core.call_budget import Allowance
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import Engine

MANY = 1000
FAST = Allowance(requests_per_second=1000, max_in_flight=8)
Join = Callable[..., SharedCallBudget]


@pytest.fixture
def join(status: Engine) -> Iterator[Join]:
    """Another caller with the allowance; of the daily run unless told otherwise."""
    with ExitStack() as stack:

        def another(allowance: Allowance = FAST, run_id: str = "daily", **told: object) -> SharedCallBudget:
            return stack.enter_context(SharedCallBudget(status, "fastly", allowance, run_id=run_id, **told))  # type: ignore[arg-type]

        yield another


def places_of(*budgets: SharedCallBudget, in_flight: int = 0) -> list[int]:
    return [budget.reserve(MANY, in_flight).max_in_flight for budget in budgets]
