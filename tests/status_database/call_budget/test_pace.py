"""How callers keep the rate together, and wait together once one was refused."""

import pytest
from lapsewatch.core.call_budget import AGAIN_IN, PAUSE, Allowance, Grant
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import Engine

from tests.stages.conftest import rows
from tests.status_database.call_budget.conftest import MANY, Join
from tests.status_database.conftest import let_time_pass


def test_callers_of_a_kind_share_the_slices(join: Join) -> None:
    allowance = Allowance(requests_per_second=1000, max_in_flight=500)
    backfills = [join(allowance, run_id=f"backfill {number}", is_backfill=True) for number in range(4)]
    for backfill in backfills:
        backfill.reserve(1, 0)
    assert [backfill.reserve(MANY, 0).count for backfill in backfills] == [62] * 4


def test_the_callers_of_a_run_keep_its_rate_together_and_others_need_not(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=1000, max_in_flight=64)
    first, second = (join(allowance, run_id="capped", run_rate=0.02) for _ in range(2))
    assert first.reserve(1, 0).seconds_between == 50
    grant = second.reserve(MANY, 0)
    assert (grant.count, grant.seconds_between) == (1, 100)
    early = second.reserve(MANY, 0)
    assert (early.count, early.starts_in) == (0, 0)
    assert 0 < early.again_in <= AGAIN_IN
    free = join(allowance).reserve(MANY, 0)
    assert free.count > 1
    assert free.seconds_between < 0.01
    for _ in range(25):
        let_time_pass(status, 4)
        first.reserve(0, 0)
        second.reserve(MANY, 0, unused=1)
    assert second.reserve(MANY, 0).count == 1


def test_a_refused_caller_holds_and_slows_all(join: Join, status: Engine) -> None:
    first, second = join(), join(run_id="backfill", is_backfill=True)
    first.reserve(1, 0)
    for _ in range(3):
        first.refused(600.0)
    paused = second.reserve(MANY, 0, unused=3)
    assert (paused.count, paused.starts_in) == (0, pytest.approx(600, abs=60))
    let_time_pass(status, 599)
    assert rows(
        status, "select refusal_count, slowed_to, refused_at < now() as has_refused from lapsewatch.call_budget"
    ) == [{"refusal_count": 3, "slowed_to": 0.95, "has_refused": True}]


def test_each_provider_has_a_budget_of_its_own(status: Engine, join: Join) -> None:
    limited = Allowance(calls_per_day=1, max_in_flight=1)
    fastly = join(limited)
    assert fastly.reserve(MANY, 0).count == 1
    fastly.refused(600.0)
    with SharedCallBudget(status, "domainr", limited, run_id="daily") as domainr:
        assert domainr.reserve(MANY, 0).count == 1


def test_a_clock_that_is_set_back_holds_nobody_up(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=100, max_in_flight=8)
    caller, dead = join(allowance), join(allowance)
    dead.reserve(1, 0)
    caller.reserve(MANY, 0)
    caller.refused(2.0)
    let_time_pass(status, -3600)
    paused = caller.reserve(MANY, 0)
    assert (paused.count, paused.starts_in) == (0, pytest.approx(2.0, abs=0.5))
    let_time_pass(status, 11)
    late = caller.reserve(MANY, 0)
    assert (late.count > 0, late.starts_in, late.max_in_flight) == (True, 0, 8)


def test_turns_that_a_pause_has_swallowed_are_not_caught_up(join: Join, status: Engine) -> None:
    caller = join()
    caller.reserve(MANY, 0)
    caller.refused(10.0)
    assert rows(status, "select next_turn_at >= paused_until as comes_after from lapsewatch.call_budget") == [
        {"comes_after": True}
    ]


def test_a_pause_outlasts_who_was_refused(status: Engine, join: Join) -> None:
    first = join()
    first.reserve(1, 0)
    first.refused(600.0)
    first.leave(0)
    paused: Grant = join().reserve(MANY, 0)
    assert paused.starts_in > PAUSE
