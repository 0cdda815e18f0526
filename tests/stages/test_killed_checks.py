"""Whatever ends a status-check task, or takes PostgreSQL away from it: no answer is lost, nothing is asked twice."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from lapsewatch.clients.asking import Answer
from lapsewatch.clients.budget import MemoryCallBudget
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.core.cadence import Pace
from lapsewatch.core.call_budget import Allowance
from lapsewatch.core.errors import Interrupted, Unavailable
from lapsewatch.core.evidence import NoEvidence, NoEvidenceReason
from lapsewatch.core.lifecycle import History
from lapsewatch.stages.check_batch import answer_row, check_batch
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.status_database import open_batch
from lapsewatch.status_database.call_budget import SharedCallBudget
from lapsewatch.status_database.open_batch import OpenBatch
from lapsewatch.status_database.schema import ALEMBIC_INI
from sqlalchemy import Engine

from local import postgres
from local.checkout import ROOT
from simulator.lives import Life
from simulator.world import World
from tests.conftest import API_KEY, EPOCH, SimulatedInternet, days, simulated, sqlalchemy_engine
from tests.stages.conftest import AS_OF, rows

DOMAINS = [f"domain{number}.com" for number in range(200)]
IN_FLIGHT = 8
RUN = Run("first", AS_OF, scope="all")


@pytest.fixture
def town() -> Iterator[SimulatedInternet]:
    """As many domains as take a second and a half."""
    with simulated(
        World.of({name: Life.active(EPOCH + days(100)) for name in DOMAINS}, EPOCH), latency_ms=60
    ) as running:
        yield running


def plan(status: Engine) -> None:
    with psycopg.connect(status.url.render_as_string(hide_password=False).replace("+psycopg", "")) as connection:
        connection.execute(
            "insert into lapsewatch.domain_status (domain, address_count, first_seen_at, next_check_at)"
            " select unnest(cast(%s as text[])), 1, %s, %s",
            [DOMAINS, AS_OF, AS_OF],
        )
    assert plan_batches(RUN, status) == ([0], len(DOMAINS))


def attempt(status: Engine, url: str) -> None:
    """Check the batch, as a task does."""
    client = FastlyClient(HttpSession(IN_FLIGHT), url, API_KEY)
    check_batch(RUN, 0, client, MemoryCallBudget(Allowance(1000, IN_FLIGHT)), status)


def attempt_with_others(status: Engine, url: str) -> None:
    """The same, with the budget in PostgreSQL."""
    client = FastlyClient(HttpSession(IN_FLIGHT), url, API_KEY)
    with SharedCallBudget(status, "fastly", Allowance(1000, IN_FLIGHT), run_id=RUN.run_id) as budget:
        check_batch(RUN, 0, client, budget, status)


TASK = f"""
import sys
from datetime import datetime
from lapsewatch.clients.budget import Allowance, MemoryCallBudget
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.stages.check_batch import check_batch
from lapsewatch.stages.run import Run
from sqlalchemy import create_engine

client = FastlyClient(HttpSession({IN_FLIGHT}), sys.argv[2], "{API_KEY}")
budget = MemoryCallBudget(Allowance(1000, {IN_FLIGHT}))
check_batch(Run("first", datetime.fromisoformat("{AS_OF}")), 0, client, budget, create_engine(sys.argv[1]))
"""


def answered(status: Engine) -> set[str]:
    return {
        row["domain"] for row in rows(status, "select domain from lapsewatch.domain_check where checked_at is not null")
    }


def wait_until(happens: Callable[[], bool]) -> None:
    latest = monotonic() + 60
    while not happens():
        assert monotonic() < latest
        sleep(0.02)


@pytest.fixture
def task(status: Engine, town: SimulatedInternet) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of the batch."""
    plan(status)
    url = status.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", TASK, url, town.url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "plugins"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: len(answered(status)) >= 30 or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_killed_at_any_moment_it_asks_again_what_was_not_written_yet_and_no_more(
    status: Engine, town: SimulatedInternet, task: subprocess.Popen[str]
) -> None:
    task.send_signal(signal.SIGKILL)
    task.wait()
    kept = answered(status)
    assert len(kept) < len(DOMAINS)
    attempt(status, town.url)
    calls = town.calls()["by_domain"]
    assert answered(status) == set(DOMAINS)
    assert all(calls[domain] == 1 for domain in kept)
    assert sum(calls.values()) - len(DOMAINS) <= 2 * IN_FLIGHT


def test_told_to_end_it_writes_what_it_has_asked_and_asks_nothing_twice(
    status: Engine, town: SimulatedInternet, task: subprocess.Popen[str]
) -> None:
    task.send_signal(signal.SIGTERM)
    _, said = task.communicate(timeout=30)
    assert task.returncode != 0
    assert Interrupted.__name__ in said
    assert answered(status) == set(town.calls()["by_domain"])
    assert len(answered(status)) < len(DOMAINS)
    attempt(status, town.url)
    assert town.calls()["by_domain"] == dict.fromkeys(DOMAINS, 1)


def test_two_attempts_at_once_ask_nothing_twice(
    status: Engine, town: SimulatedInternet, task: subprocess.Popen[str]
) -> None:
    # The first one is still at work.
    attempt(status, town.url)
    assert town.calls()["by_domain"] == dict.fromkeys(DOMAINS, 1)
    assert task.wait(30) == 0


def test_who_waits_for_another_attempt_can_be_told_to_end(status: Engine, town: SimulatedInternet) -> None:
    stop = threading.Event()
    stop.set()
    with OpenBatch(status, "first", 0, threading.Event()), pytest.raises(Interrupted):
        OpenBatch(status, "first", 0, stop).__enter__()
    # Other batches, and other runs, wait for nobody.
    with OpenBatch(status, "first", 0, stop), OpenBatch(status, "first", 1, stop), OpenBatch(status, "second", 0, stop):
        pass


def test_what_airflow_does_on_a_signal_is_put_back(status: Engine, town: SimulatedInternet) -> None:
    before = signal.getsignal(signal.SIGTERM)
    plan(status)
    attempt(status, town.url)
    assert signal.getsignal(signal.SIGTERM) is before


def lose_lock(status: Engine) -> None:
    """End the session that holds the batch."""
    ended = rows(
        status,
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database ="
        " (select oid from pg_database where datname = current_database())",
    )
    assert len(ended) == 1


def test_who_loses_its_lock_to_another_attempt_that_ends_meanwhile_does_not_go_on(
    status: Engine, town: SimulatedInternet
) -> None:
    plan(status)
    with OpenBatch(status, "first", 0, threading.Event()) as first:
        read = first.rows()
        answers = [answer_row(RUN, some_answer(next(read)[0]), History(), Pace()) for _ in range(3)]
        first.record(answers[:1], "fastly", "corroborated")
        lose_lock(status)
        attempt(status, town.url)
        assert answered(status) == set(DOMAINS)
        with pytest.raises(Unavailable, match="another attempt has taken over"):
            first.record(answers[1:], "fastly", "corroborated")


def test_who_loses_its_lock_waits_for_who_has_it_before_it_writes(
    status: Engine, town: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_batch, "ZOMBIE", 3.0)
    plan(status)
    with OpenBatch(status, "first", 0, threading.Event()) as first:
        [domain, _] = next(first.rows())
        lose_lock(status)
        with OpenBatch(status, "first", 0, threading.Event()), ThreadPoolExecutor(1) as pool:
            written = pool.submit(
                first.record, [answer_row(RUN, some_answer(domain), History(), Pace())], "fastly", "pypi"
            )
            sleep(1.5)
            assert answered(status) == set()
            with pytest.raises(Unavailable, match="another attempt has taken over"):
                written.result()
        # What it had asked is not lost.
        assert answered(status) == {domain}


def test_what_was_written_though_nobody_heard_of_it_is_no_other_attempts(status: Engine) -> None:
    plan(status)
    with OpenBatch(status, "first", 0, threading.Event()) as rows_of_batch:
        answers = [answer_row(RUN, some_answer(domain), History(), Pace()) for domain in DOMAINS[:3]]
        for _ in range(2):
            rows_of_batch.record(answers, "fastly", "corroborated")


def some_answer(domain: str) -> Answer:
    return Answer(domain, NoEvidence(NoEvidenceReason.TIMEOUT), datetime.now(UTC), 5, 1)


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[tuple[postgres.Cluster, int]]:
    """A PostgreSQL of the test's own, and its port, to be ill-treated."""
    try:
        cluster = postgres.cluster_in(tmp_path)
        yield cluster, postgres._start(cluster, postgres.SETTINGS)
    finally:
        postgres.destroy(tmp_path)


def test_postgresql_may_crash_and_come_back(fragile: tuple[postgres.Cluster, int], town: SimulatedInternet) -> None:
    cluster, port = fragile
    status = sqlalchemy_engine(cluster.url("postgres", port=port))
    config = Config(ALEMBIC_INI)
    with status.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    plan(status)
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(attempt_with_others, status, town.url)
        wait_until(lambda: len(answered(status)) >= 30)
        postgres._run(cluster, "pg_ctl", "stop", "-w", "-m", "immediate")
        sleep(1.0)
        postgres._start(cluster, {**postgres.SETTINGS, "port": str(port)})
        task.result()
    assert answered(status) == set(DOMAINS)
    assert town.calls()["by_domain"] == dict.fromkeys(DOMAINS, 1)
    status.dispose()
