"""Turns shared by real processes through one PostgreSQL."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from lapsewatch.clients.errors import RateLimited
from lapsewatch.clients.turns import Paces, ServerPace, Turns
from lapsewatch.status_database.turns import SharedTurnBook
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from local.checkout import PLUGINS
from tests.stages.conftest import rows

HOST = "rdap.example.net"
WORKER = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from lapsewatch.clients.turns import Paces, ServerPace, Turns
from lapsewatch.status_database.turns import SharedTurnBook
from sqlalchemy import create_engine

url, host, per_second, places = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
with SharedTurnBook(create_engine(url)) as book:
    turns = Turns(book, Paces(ServerPace(per_second, places)))

    def ask(_):
        with turns.turn(host):
            began = time.time()
            time.sleep(0.02)
            return began, time.time()

    def take():
        return book.take_place(host, places)

    def pause():
        turns.pause(host, 600.0)

    def ask_many():
        asked_at = time.time()
        with ThreadPoolExecutor(4) as pool:
            return asked_at, list(pool.map(ask, range(15)))

    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(globals()[line.strip()]()), flush=True)
"""


def take_place_soon(book: SharedTurnBook) -> int | None:
    """Take the one place that a session gives back as it ends, which PostgreSQL notices a moment later."""
    latest = time.monotonic() + 10
    while time.monotonic() < latest:
        if place := book.take_place(HOST, 1):
            return place
        time.sleep(0.01)
    return None


@contextmanager
def worker(engine: Engine, pace: ServerPace) -> Iterator[subprocess.Popen[str]]:
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WORKER, url, HOST, str(pace.requests_per_second), str(pace.max_in_flight)]
    process = subprocess.Popen(
        command,
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


def tell(process: subprocess.Popen[str], order: str) -> None:
    assert process.stdin
    process.stdin.write(f"{order}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> object:
    assert process.stdout
    return json.loads(process.stdout.readline())


@pytest.fixture
def book(status: Engine) -> Iterator[SharedTurnBook]:
    with SharedTurnBook(status) as shared:
        yield shared


def test_processes_keep_the_rate_and_the_places_together(status: Engine) -> None:
    pace = ServerPace(requests_per_second=50, max_in_flight=2)
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(status, pace)) for _ in range(2)]
        for process in workers:
            tell(process, "ask_many")
        heard = [hear(process) for process in workers]
    turns = sorted(tuple(turn) for _, asked in heard for turn in asked)
    assert len(turns) == 30
    first_asked_at = min(asked_at for asked_at, _ in heard)
    # The k-th turn comes no sooner than k intervals after the first was asked for, whoever takes it.
    assert all(began - first_asked_at >= number / 50 for number, (began, _) in enumerate(turns))
    moments = sorted([(began, 1) for began, _ in turns] + [(ended, -1) for _, ended in turns])
    in_flight = [sum(step for _, step in moments[: number + 1]) for number in range(len(moments))]
    assert max(in_flight) <= 2
    assert rows(status, "select turn_count from lapsewatch.rdap_server") == [{"turn_count": 30}]


def test_who_is_killed_frees_the_place(status: Engine, book: SharedTurnBook) -> None:
    with worker(status, ServerPace(max_in_flight=1)) as process:
        tell(process, "take")
        assert hear(process) == 1
        assert book.take_place(HOST, 1) is None
        process.kill()
        process.wait()
        assert take_place_soon(book) == 1


def test_a_pause_set_by_one_process_holds_the_others(status: Engine, book: SharedTurnBook) -> None:
    with worker(status, ServerPace()) as process:
        tell(process, "pause")
        hear(process)
    with pytest.raises(RateLimited) as raised, Turns(book).turn(HOST):
        pytest.fail("asked a paused server")
    assert raised.value.retry_after == pytest.approx(600.0, abs=60)


def test_refusals_are_counted(status: Engine, book: SharedTurnBook) -> None:
    for _ in range(2):
        book.pause(HOST, 60.0)
    [server] = rows(status, "select refusal_count, refused_at < paused_until as later from lapsewatch.rdap_server")
    assert server == {"refusal_count": 2, "later": True}


def test_the_end_of_a_book_frees_its_places_although_the_engine_lives_on(status: Engine) -> None:
    with SharedTurnBook(status) as first, SharedTurnBook(status) as second:
        assert first.take_place(HOST, 1) == 1
        assert second.take_place(HOST, 1) is None
        first.close()
        assert take_place_soon(second) == 1


def test_a_lost_session_is_an_error_once_and_replaced(status: Engine, book: SharedTurnBook) -> None:
    assert book.take_place(HOST, 1) == 1
    with status.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = :db"
            ),
            {"db": status.url.database},
        )
    with pytest.raises(DBAPIError):
        book.paused_for(HOST)
    assert book.take_place(HOST, 1) == 1


def test_who_held_a_place_in_a_lost_session_leaves_quietly(status: Engine, book: SharedTurnBook) -> None:
    assert book.take_place(HOST, 1) == 1
    book.close()
    book.leave_place(HOST, 1)
    with SharedTurnBook(status) as other:
        assert take_place_soon(other) == 1


def test_a_turn_takes_one_connection_however_many_threads_wait(status: Engine, book: SharedTurnBook) -> None:
    turns = Turns(book, Paces(ServerPace(requests_per_second=1000, max_in_flight=8)))
    with ExitStack() as stack:
        for number in range(8):
            stack.enter_context(turns.turn(f"{number}.{HOST}"))
        assert status.pool.checkedout() == 1  # type: ignore[attr-defined]
