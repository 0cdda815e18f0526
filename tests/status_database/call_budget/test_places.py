"""How callers share the places for calls on the wire, whoever comes and goes."""

import random
from dataclasses import dataclass

import pytest
from lapsewatch.core.call_budget import AGAIN_IN, SLICE, Allowance
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.stages.conftest import rows
from tests.status_database.call_budget.conftest import FAST, MANY, Join, places_of
from tests.status_database.conftest import let_time_pass


def test_who_comes_later_gets_what_is_free_and_then_its_share(join: Join) -> None:
    first, second = join(), join()
    assert first.reserve(MANY, 0).max_in_flight == 8
    waiting = second.reserve(MANY, 0)
    assert (waiting.count, waiting.max_in_flight) == (0, 0)
    assert waiting.again_in <= SLICE
    # Eight calls are on the wire: none of their places is free before they end.
    assert first.reserve(MANY, 8).max_in_flight == 4
    assert second.reserve(MANY, 0).max_in_flight == 0
    assert first.reserve(MANY, 6).max_in_flight == 4
    assert second.reserve(MANY, 0).max_in_flight == 2
    assert first.reserve(MANY, 4).max_in_flight == 4
    assert second.reserve(MANY, 2).max_in_flight == 4


def test_who_has_more_in_flight_than_its_share_is_granted_nothing_and_comes_again_soon(join: Join) -> None:
    first, second = join(), join()
    places_of(first, second)
    grant = first.reserve(MANY, 8)
    assert (grant.count, grant.max_in_flight) == (0, 4)
    assert grant.again_in < AGAIN_IN


def test_places_that_one_does_not_need_are_the_others(join: Join) -> None:
    first, second, third = join(), join(), join()
    assert first.reserve(1, 1).max_in_flight == 2
    assert second.reserve(MANY, 0).max_in_flight == 6
    third.reserve(MANY, 0)
    assert places_of(second, third) == [3, 3]
    first.reserve(0, 0)
    assert places_of(second, third) == [4, 4]


def test_who_leaves_frees_its_share_at_once(join: Join) -> None:
    first, second = join(), join()
    assert places_of(first, second) == [8, 0]
    first.leave(0)
    assert places_of(second) == [8]


def test_who_does_not_come_again_is_forgotten(join: Join, status: Engine) -> None:
    dead, alive = join(), join()
    assert places_of(dead, alive) == [8, 0]
    let_time_pass(status, 9)
    assert places_of(alive) == [0]
    let_time_pass(status, 2)
    assert places_of(alive) == [8]
    assert rows(status, "select held from lapsewatch.budget_caller") == [{"held": 8}]


def test_who_waits_out_a_pause_is_not_forgotten(join: Join, status: Engine) -> None:
    first, second = join(), join()
    places_of(first, second)
    first.refused(60.0)
    for _ in range(10):
        assert places_of(first, in_flight=4) == [4]
        assert places_of(second) == [4]
        let_time_pass(status, 5)


@dataclass
class Caller:
    budget: SharedCallBudget
    places: int = 0
    in_flight: int = 0


@pytest.mark.parametrize("seed", range(5))
def test_never_are_more_places_held_than_allowed_whoever_comes_and_goes(seed: int, join: Join) -> None:
    chance = random.Random(seed)
    callers = [Caller(join(run_id=f"run {number}", is_backfill=number % 2 == 0)) for number in range(6)]
    for _ in range(200):
        caller = chance.choice(callers)
        if chance.random() < 0.1:
            caller.budget.leave(0)
            caller.places = caller.in_flight = 0
            continue
        # Calls end, and new ones begin in the places that there are.
        caller.in_flight = chance.randint(0, caller.in_flight)
        caller.in_flight = max(caller.in_flight, chance.randint(0, caller.places))
        wanted = chance.choice([0, 1, 3, MANY])
        caller.places = caller.budget.reserve(wanted, caller.in_flight, chance.choice([0, wanted])).max_in_flight
        assert sum(max(each.places, each.in_flight) for each in callers) <= FAST.max_in_flight


def test_who_needs_least_has_a_place_and_the_others_what_is_left(join: Join) -> None:
    single = Allowance(requests_per_second=1000, max_in_flight=1)
    small, large = join(single), join(single)
    small.reserve(1, 0)
    large.reserve(MANY, 0)
    assert [small.reserve(1, 0).max_in_flight, large.reserve(MANY, 0).max_in_flight] == [1, 0]


def test_a_lost_session_is_an_error_once_and_replaced(join: Join, status: Engine) -> None:
    caller = join()
    assert places_of(caller) == [8]
    with status.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = :db"
            ),
            {"db": status.url.database},
        )
    with pytest.raises(DBAPIError):
        caller.reserve(MANY, 8)
    assert places_of(caller, in_flight=8) == [8]
    assert rows(status, "select count(*) as callers from lapsewatch.budget_caller") == [{"callers": 1}]
