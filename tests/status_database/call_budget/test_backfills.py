"""The daily run comes first: what a backfill gets of the places, the turns and the calls."""

from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.core.call_budget import SLICE, Allowance
from lapsewatch.core.errors import BudgetSpent
from lapsewatch.status_database import call_budget
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import Engine, text

from tests.status_database.call_budget.conftest import MANY, Join, places_of
from tests.status_database.conftest import let_time_pass


def test_the_daily_run_gets_its_places_before_a_backfill(join: Join) -> None:
    backfill = join(run_id="backfill", is_backfill=True)
    assert places_of(backfill) == [8]
    daily = join()
    daily.reserve(MANY, 0)
    assert backfill.reserve(MANY, 5).max_in_flight == 0
    assert places_of(daily) == [3]
    assert backfill.reserve(MANY, 0).max_in_flight == 0
    assert places_of(daily) == [8]
    assert daily.reserve(1, 2).max_in_flight == 3
    assert places_of(backfill) == [5]


def test_while_the_daily_run_asks_a_backfill_never_queues(join: Join, status: Engine) -> None:
    slow = Allowance(requests_per_second=0.1)
    daily, backfill = join(slow), join(slow, run_id="backfill", is_backfill=True)
    assert daily.reserve(MANY, 0).count == 1
    waiting = backfill.reserve(MANY, 0)
    assert (waiting.count, waiting.starts_in) == (0, 0)
    assert waiting.again_in <= SLICE
    assert daily.reserve(MANY, 0).starts_in == pytest.approx(10, abs=5)


def test_a_backfill_takes_turns_that_the_daily_run_has_left_unused(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=100, max_in_flight=64)
    daily, backfill = join(allowance), join(allowance, run_id="backfill", is_backfill=True)
    daily.reserve(1, 0)
    daily.reserve(1, 0)
    let_time_pass(status, 0.5)
    left_over = backfill.reserve(MANY, 0)
    assert (left_over.count, left_over.starts_in) == (5, 0)
    # Its few calls are all that the daily run waits for.
    assert daily.reserve(MANY, 0).starts_in <= 0.05


def test_a_backfill_queues_like_anybody_once_the_daily_run_is_quiet(join: Join, status: Engine) -> None:
    slow = Allowance(requests_per_second=0.1)
    daily, backfill = join(slow), join(slow, run_id="backfill", is_backfill=True)
    daily.reserve(MANY, 0)
    daily.reserve(0, 1)
    assert backfill.reserve(MANY, 0).starts_in == pytest.approx(10, abs=5)
    daily.reserve(MANY, 0)
    let_time_pass(status, 3)
    assert backfill.reserve(MANY, 0).starts_in == pytest.approx(27, abs=5)


def add_domains(status: Engine, count: int, due_in: timedelta) -> None:
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_status (domain, first_seen_at, address_count, next_check_at)"
                " select 'd' || number || '.example', now(), 1, :due_at from generate_series(1, :count) as number"
                " on conflict (domain) do update set next_check_at = excluded.next_check_at"
            ),
            {"count": count, "due_at": datetime.now(UTC) + due_in},
        )


def test_a_backfill_leaves_what_the_daily_run_needs_today(
    join: Join, status: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_domains(status, 10, timedelta(0))
    allowance = Allowance(requests_per_second=100, max_in_flight=64, calls_per_day=22, calls_per_month=1000)
    backfill = join(allowance, run_id="backfill", is_backfill=True)
    assert backfill.reserve(MANY, 0).count == 12
    earliest = datetime.now(UTC)
    with pytest.raises(BudgetSpent) as raised:
        backfill.reserve(MANY, 0)
    midnight = earliest.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert earliest < raised.value.resumes_at
    assert raised.value.resumes_at <= min(midnight, datetime.now(UTC) + timedelta(minutes=15))
    # It looks again once a minute, no sooner.
    add_domains(status, 10, timedelta(days=2))
    with pytest.raises(BudgetSpent):
        backfill.reserve(MANY, 0)
    monkeypatch.setattr(call_budget, "COUNT_DUE_EVERY", 0.0)
    next_backfill = join(allowance, run_id="backfill", is_backfill=True)
    assert next_backfill.reserve(6, 0).count == 6
    add_domains(status, 10, timedelta(0))
    with pytest.raises(BudgetSpent):
        next_backfill.reserve(MANY, 0)
    assert join(allowance).reserve(MANY, 0).count == 4


def take_all(budget: SharedCallBudget, status: Engine) -> tuple[int, str]:
    """Take calls until there are no more, and leave; return how many there were, and what was said."""
    count = 0
    while True:
        try:
            count += budget.reserve(MANY, 0).count
        except BudgetSpent as error:
            budget.leave(0)
            return count, str(error)
        let_time_pass(status, 1)


def days_left_this_month() -> int:
    today = datetime.now(UTC).date()
    return ((today.replace(day=1) + timedelta(days=32)).replace(day=1) - today).days


def test_a_backfill_leaves_what_the_daily_run_needs_on_the_other_days_of_the_month(join: Join, status: Engine) -> None:
    # The daily run has asked already: what is due tomorrow tells what it needs each day.
    add_domains(status, 4, timedelta(days=1))
    allowance = Allowance(requests_per_second=1000, max_in_flight=64, calls_per_month=1000)
    backfill = join(allowance, run_id="backfill", is_backfill=True)
    kept = 4 * (days_left_this_month() - 1)
    assert take_all(backfill, status)[0] == 1000 - kept


@pytest.mark.parametrize("limits", [{"calls_per_day": 100}, {"calls_per_month": 100}])
def test_however_much_is_due_a_backfill_gets_half(join: Join, status: Engine, limits: dict[str, int]) -> None:
    add_domains(status, 200, timedelta(0))
    allowance = Allowance(requests_per_second=1000, max_in_flight=64, **limits)
    backfill, daily = join(allowance, run_id="backfill", is_backfill=True), join(allowance)
    taken, said = take_all(backfill, status)
    assert taken == 50
    assert "kept for the daily run" in said
    taken, said = take_all(daily, status)
    assert taken == 50
    assert "the call budget is spent" in said
