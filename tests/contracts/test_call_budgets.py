"""The same cases for every call budget: in memory for one process, in the status database for all."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.clients.budget import CallBudget, MemoryCallBudget
from lapsewatch.core.call_budget import (
    AGAIN_IN,
    MAX_PAUSE,
    PAUSE,
    SLICE,
    SLOWED,
    SLOWED_AGAIN,
    SOON,
    Allowance,
)
from lapsewatch.core.errors import BudgetSpent
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import Engine

from tests.status_database.conftest import let_time_pass


@dataclass
class World:
    """Makes budgets, and lets time pass for them."""

    budget: Callable[[Allowance], CallBudget]
    let_pass: Callable[[float], None]


@pytest.fixture(params=["memory", "status database"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        passed = timedelta()

        def let_pass(seconds: float) -> None:
            nonlocal passed
            passed += timedelta(seconds=seconds)

        yield World(lambda allowance: MemoryCallBudget(allowance, lambda: datetime.now(UTC) + passed), let_pass)
        return
    status: Engine = request.getfixturevalue("status")
    with ExitStack() as stack:
        yield World(
            lambda allowance: stack.enter_context(SharedCallBudget(status, "fastly", allowance, run_id="first")),
            lambda seconds: let_time_pass(status, seconds),
        )


def test_a_grant_is_a_slice_of_the_rate(world: World) -> None:
    grant = world.budget(Allowance(requests_per_second=100, max_in_flight=8)).reserve(1000, 0)
    assert (grant.count, grant.starts_in, grant.max_in_flight) == (100 * SLICE, 0, 8)
    assert 0 < grant.seconds_between <= 1 / 100
    assert grant.again_in == AGAIN_IN


def test_a_grant_is_at_least_one_call_and_no_more_than_wanted(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=0.01))
    grant = budget.reserve(1000, 0)
    assert (grant.count, grant.seconds_between) == (1, pytest.approx(100, abs=5))
    assert world.budget(Allowance(requests_per_second=100)).reserve(3, 0).count == 3


def test_grants_follow_one_another_at_the_rate(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=0.01))
    grants = [budget.reserve(1000, 0) for _ in range(3)]
    assert [grant.count for grant in grants] == [1, 1, 1]
    assert [grant.starts_in for grant in grants] == [0, pytest.approx(100, abs=5), pytest.approx(200, abs=5)]


def test_a_delay_is_caught_up_for_as_long_as_a_slice(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100))
    asked_at = time.monotonic()
    budget.reserve(1000, 0)
    world.let_pass(3600)
    late = budget.reserve(1000, 0)
    assert (late.count, late.starts_in) == (25, 0)
    assert late.seconds_between < 1 / 100
    on_time = budget.reserve(1000, 0)
    assert on_time.starts_in + on_time.count * on_time.seconds_between >= SLICE - (time.monotonic() - asked_at)


def test_who_has_calls_left_of_an_earlier_grant_keeps_its_share_and_is_granted_no_more(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=0.01, max_in_flight=8))
    budget.reserve(1000, 0)
    grant = budget.reserve(1000, 8, unused=1)
    assert (grant.count, grant.starts_in, grant.max_in_flight) == (0, 0, 8)
    # The turn that was not granted is still there.
    assert budget.reserve(1000, 8).starts_in == pytest.approx(100, abs=5)


def test_who_wants_nothing_is_granted_nothing(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100, calls_per_day=25))
    assert budget.reserve(0, 1).count == 0
    assert budget.reserve(1000, 1).count == 25
    assert budget.reserve(0, 1).count == 0


def test_a_refusal_is_a_pause_for_as_long_as_the_service_says(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100))
    budget.reserve(10, 0)
    budget.refused(600.0)
    budget.refused(1.0)
    grant = budget.reserve(1000, 0, unused=5)
    assert (grant.count, grant.starts_in) == (0, pytest.approx(600, abs=60))
    assert 0 < grant.again_in <= AGAIN_IN
    world.let_pass(601)
    assert budget.reserve(1000, 0).count > 0


@pytest.mark.parametrize(("retry_after", "pause"), [(None, PAUSE), (0.0, 0.0), (-5.0, 0.0), (1e12, MAX_PAUSE)])
def test_a_pause_is_neither_endless_nor_negative(world: World, retry_after: float | None, pause: float) -> None:
    budget = world.budget(Allowance(requests_per_second=0.001))
    budget.reserve(1, 0)
    world.let_pass(7200)
    budget.refused(retry_after)
    grant = budget.reserve(1, 0)
    assert grant.starts_in <= pause
    assert grant.starts_in == pytest.approx(pause, abs=30)


def test_calls_that_are_refused_together_slow_down_once(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=1000))
    budget.reserve(1000, 0)
    for _ in range(3):
        budget.refused(PAUSE)
    world.let_pass(PAUSE)
    assert budget.reserve(1000, 0).count == pytest.approx(1000 * SLOWED * SLICE, abs=1)


def test_a_refusal_soon_after_slows_down_more_and_a_later_one_little(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=1000))
    budget.reserve(1000, 0)
    budget.refused(None)
    world.let_pass(PAUSE)
    budget.refused(None)
    world.let_pass(PAUSE)
    pace = SLOWED * SLOWED_AGAIN
    assert budget.reserve(1000, 0).count == pytest.approx(1000 * pace * SLICE, abs=1)
    world.let_pass(SOON)
    budget.refused(None)
    world.let_pass(PAUSE)
    assert budget.reserve(1000, 0).count == pytest.approx(1000 * pace * SLOWED * SLICE, abs=1)


def test_the_rate_recovers_by_a_fiftieth_each_minute(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=1000))
    budget.reserve(1000, 0)
    budget.refused(None)
    world.let_pass(60)
    assert budget.reserve(1000, 0).count == pytest.approx(1000 * (SLOWED + 0.02) * SLICE, abs=1)
    world.let_pass(3600)
    assert budget.reserve(1000, 0).count == 1000 * SLICE


def test_however_often_a_service_refuses_it_is_asked_again(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=1000))
    budget.reserve(1000, 0)
    for _ in range(30):
        budget.refused(None)
        world.let_pass(PAUSE)
    assert budget.reserve(1000, 0).count == pytest.approx(1000 * 0.05 * SLICE, abs=1)


def test_the_calls_of_a_day_are_granted_to_the_last_and_those_of_the_next_day_anew(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100, calls_per_day=30))
    assert [budget.reserve(1000, 0).count for _ in range(2)] == [25, 5]
    earliest = datetime.now(UTC)
    with pytest.raises(BudgetSpent, match="the call budget is spent, it goes on at") as raised:
        budget.reserve(1000, 0)
    midnights = {start_of_day(moment) + timedelta(days=1) for moment in (earliest, datetime.now(UTC))}
    assert raised.value.resumes_at in midnights
    world.let_pass(86400)
    assert budget.reserve(1000, 0).count == 25


def test_the_calls_of_a_month_are_granted_to_the_last_and_those_of_the_next_month_anew(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100, calls_per_day=40, calls_per_month=30))
    assert [budget.reserve(1000, 0).count for _ in range(2)] == [25, 5]
    earliest = datetime.now(UTC)
    with pytest.raises(BudgetSpent) as raised:
        budget.reserve(1000, 0)
    first_days = {start_of_next_month(moment) for moment in (earliest, datetime.now(UTC))}
    assert raised.value.resumes_at in first_days
    world.let_pass(31 * 86400)
    assert budget.reserve(1000, 0).count == 25


def test_with_day_and_month_used_up_the_later_counts(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100, calls_per_day=5, calls_per_month=5))
    budget.reserve(1000, 0)
    with pytest.raises(BudgetSpent) as raised:
        budget.reserve(1000, 0)
    assert raised.value.resumes_at.day == 1


def test_calls_that_were_not_begun_are_given_back(world: World) -> None:
    budget = world.budget(Allowance(requests_per_second=100, calls_per_day=25))
    assert budget.reserve(1000, 0).count == 25
    budget.leave(3)
    assert budget.reserve(1000, 0).count == 3
    with pytest.raises(BudgetSpent):
        budget.reserve(1000, 0)


def start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def start_of_next_month(moment: datetime) -> datetime:
    return (start_of_day(moment).replace(day=1) + timedelta(days=32)).replace(day=1)
