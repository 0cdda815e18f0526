"""The call budget shared by real processes through one PostgreSQL."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Engine

from local.checkout import PLUGINS
from tests.stages.conftest import rows
from tests.status_database.call_budget.conftest import MANY, Join
from tests.status_database.conftest import let_time_pass

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
