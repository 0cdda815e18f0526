"""The call budget shared by many callers, and by real processes, through one PostgreSQL."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.core.call_budget import AGAIN_IN, PAUSE, SLICE, Allowance, Grant
from lapsewatch.core.errors import BudgetSpent
from lapsewatch.status_database import call_budget
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from local.checkout import PLUGINS
from tests.stages.conftest import rows
from tests.status_database.conftest import let_time_pass

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


def test_all_callers_together_spend_a_day_to_the_last_call(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=100, max_in_flight=64, calls_per_day=97)
    callers = [join(allowance), join(allowance), join(allowance, run_id="backfill", is_backfill=True)]
    waiting = list(callers)
    granted = 0
    while waiting:
        for caller in list(waiting):
            try:
                granted += caller.reserve(MANY, 0).count
            except BudgetSpent:
                waiting.remove(caller)
        let_time_pass(status, 1)
    assert granted == 97
    assert rows(status, "select call_count from lapsewatch.call_spending") == [{"call_count": 97}]


def test_the_calls_of_earlier_days_of_the_month_count(join: Join, status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.call_spending (provider, day, call_count)"
                " select 'fastly', cast(date_trunc('month', now() at time zone 'UTC') as date) - back, 20"
                " from generate_series(0, 1) as back"
            )
        )
    allowance = Allowance(requests_per_second=100, calls_per_month=24)
    assert join(allowance).reserve(MANY, 0).count == 4


def test_calls_given_back_are_those_of_the_day_on_which_they_were_granted(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=100, calls_per_day=1000)
    caller = join(allowance)
    caller.reserve(MANY, 0)
    let_time_pass(status, 86400)
    caller.leave(5)
    assert rows(status, "select call_count from lapsewatch.call_spending") == [{"call_count": 20}]


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


def test_who_needs_least_has_a_place_and_the_others_what_is_left(join: Join) -> None:
    single = Allowance(requests_per_second=1000, max_in_flight=1)
    small, large = join(single), join(single)
    small.reserve(1, 0)
    large.reserve(MANY, 0)
    assert [small.reserve(1, 0).max_in_flight, large.reserve(MANY, 0).max_in_flight] == [1, 0]


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


WORKER = """
import json, sys, time
from sqlalchemy import create_engine
from lapsewatch.core.call_budget import Allowance
from lapsewatch.core.errors import BudgetSpent
from lapsewatch.status_database.call_budget import SharedCallBudget

url, terms = sys.argv[1], json.loads(sys.argv[2])
with SharedCallBudget(create_engine(url), "fastly", Allowance(**terms["allowance"]), **terms["caller"]) as budget:
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(time.monotonic()), flush=True)
    calls, in_flight, turns, places, again_at = [], [], [], 0, 0.0
    try:
        while True:
            now = time.monotonic()
            in_flight = [ends_at for ends_at in in_flight if ends_at > now]
            if not turns or now >= again_at:
                grant = budget.reserve(10000, len(in_flight), len(turns))
                now = time.monotonic()
                places, again_at = grant.max_in_flight, now + grant.again_in
                turns += [now + grant.starts_in + place * grant.seconds_between for place in range(grant.count)]
                if not grant.count:
                    time.sleep(min(grant.again_in, 0.02))
            if turns and turns[0] <= now and len(in_flight) < places:
                turns.pop(0)
                began = time.monotonic()
                in_flight.append(began + terms["latency"])
                calls.append((began, began + terms["latency"]))
            else:
                time.sleep(0.001)
    except BudgetSpent:
        budget.leave(len(turns))
    print(json.dumps(calls), flush=True)
"""


@contextmanager
def worker(engine: Engine, allowance: dict[str, float], **caller: object) -> Iterator[subprocess.Popen[str]]:
    """A process that calls until the budget is spent: it tells when it begins, and in the end each call's two times."""
    terms = {"allowance": allowance, "caller": caller, "latency": 0.05}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, engine.url.render_as_string(hide_password=False), json.dumps(terms)],
        env=os.environ | {"PYTHONPATH": str(PLUGINS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("begin\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> object:
    assert process.stdout
    return json.loads(process.stdout.readline())


def test_processes_keep_rate_places_and_the_days_calls_together(status: Engine) -> None:
    allowance = {"requests_per_second": 100, "max_in_flight": 4, "calls_per_day": 150}
    with ExitStack() as stack:
        workers = [
            stack.enter_context(worker(status, allowance, run_id="daily")),
            stack.enter_context(worker(status, allowance, run_id="daily")),
            stack.enter_context(worker(status, allowance, run_id="backfill", is_backfill=True)),
        ]
        for process in workers:
            begin(process)
        began_at = min(float(str(hear(process))) for process in workers)
        calls = sorted(tuple(call) for process in workers for call in hear(process))  # type: ignore[attr-defined]
    assert len(calls) == 150
    # The k-th call comes no sooner than k intervals after the first grant was asked for, whoever makes it.
    assert all(began - began_at >= number / 100 for number, (began, _) in enumerate(calls))
    moments = sorted([(began, 1) for began, _ in calls] + [(ended, -1) for _, ended in calls])
    in_flight = [sum(step for _, step in moments[: number + 1]) for number in range(len(moments))]
    assert max(in_flight) <= 4
    assert rows(status, "select call_count from lapsewatch.call_spending") == [{"call_count": 150}]
    assert rows(status, "select * from lapsewatch.budget_caller") == []


def test_who_is_killed_in_the_midst_of_it_frees_its_share(status: Engine, join: Join) -> None:
    allowance = {"requests_per_second": 1000, "max_in_flight": 8}
    survivor = join()
    with worker(status, allowance, run_id="daily") as process:
        begin(process)
        hear(process)
        await_places(status, 8)
        assert survivor.reserve(MANY, 0).max_in_flight == 0
        process.kill()
        process.wait()
    let_time_pass(status, 11)
    assert survivor.reserve(MANY, 0).max_in_flight == 8


def await_places(status: Engine, held: int) -> None:
    latest = time.monotonic() + 30
    while rows(status, "select sum(held) as held from lapsewatch.budget_caller") != [{"held": held}]:
        assert time.monotonic() < latest
        time.sleep(0.01)


def test_a_pause_outlasts_who_was_refused(status: Engine, join: Join) -> None:
    first = join()
    first.reserve(1, 0)
    first.refused(600.0)
    first.leave(0)
    paused: Grant = join().reserve(MANY, 0)
    assert paused.starts_in > PAUSE
