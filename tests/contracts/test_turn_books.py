"""The same cases for every book of turns: in memory for one process, in the status database for all."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from lapsewatch.clients import turns as turns_module
from lapsewatch.clients.errors import RateLimited
from lapsewatch.clients.turns import PATIENCE, MemoryTurnBook, Paces, ServerPace, TurnBook, Turns
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.status_database.turns import SharedTurnBook

HOST = "rdap.example.net"
FAST = Paces(ServerPace(requests_per_second=1000, max_in_flight=4))


@pytest.fixture(params=["memory", "status database"])
def book(request: pytest.FixtureRequest) -> Iterator[TurnBook]:
    if request.param == "memory":
        yield MemoryTurnBook()
    else:
        with SharedTurnBook(request.getfixturevalue("status")) as shared:
            yield shared


def test_there_are_as_many_places_as_said(book: TurnBook) -> None:
    assert [book.take_place(HOST, 2) for _ in range(3)] == [1, 2, None]
    assert book.take_place("other.example.net", 2) == 1
    book.leave_place(HOST, 1)
    assert [book.take_place(HOST, 2) for _ in range(2)] == [1, None]


def test_turns_follow_one_another_at_the_rate(book: TurnBook) -> None:
    waits = [book.next_turn(HOST, 100.0, PATIENCE) for _ in range(3)]
    assert waits == [pytest.approx(0.0, abs=5), pytest.approx(100.0, abs=5), pytest.approx(200.0, abs=5)]
    assert book.next_turn("other.example.net", 100.0, PATIENCE) == pytest.approx(0.0, abs=5)


def test_turns_that_nobody_took_are_not_saved_up(book: TurnBook) -> None:
    as_if_long_ago = -100.0
    book.next_turn(HOST, as_if_long_ago, PATIENCE)
    assert book.next_turn(HOST, 50.0, PATIENCE) == 0
    assert book.next_turn(HOST, 50.0, PATIENCE) == pytest.approx(50.0, abs=5)


def test_a_short_pause_moves_the_next_turn(book: TurnBook) -> None:
    book.pause(HOST, 20.0)
    assert book.next_turn(HOST, 1.0, PATIENCE) == pytest.approx(20.0, abs=5)


def test_a_long_pause_lets_nobody_reserve_a_turn(book: TurnBook) -> None:
    book.next_turn(HOST, 0.001, PATIENCE)
    book.pause(HOST, 600.0)
    assert book.next_turn(HOST, 1.0, PATIENCE) is None
    assert book.paused_for(HOST) == pytest.approx(600.0, abs=5)


def test_a_shorter_pause_does_not_end_a_longer_one(book: TurnBook) -> None:
    book.pause(HOST, 600.0)
    book.pause(HOST, 1.0)
    assert book.paused_for(HOST) == pytest.approx(600.0, abs=5)


def test_who_is_not_known_is_not_paused(book: TurnBook) -> None:
    assert book.paused_for(HOST) == 0
    book.next_turn(HOST, 1.0, PATIENCE)
    assert book.paused_for(HOST) == 0
    book.pause(HOST, 0.0)
    assert book.paused_for(HOST) == 0


def test_a_turn_at_a_paused_host_is_refused_at_once_and_says_until_when(book: TurnBook) -> None:
    turns = Turns(book, FAST)
    turns.pause(HOST, 600.0)
    started = time.monotonic()
    with pytest.raises(RateLimited) as raised, turns.turn(HOST):
        pytest.fail("asked a paused server")
    assert time.monotonic() - started < PATIENCE
    assert raised.value.reason is NoEvidenceReason.SERVER_PAUSED
    assert raised.value.retry_after == pytest.approx(600.0, abs=5)
    with turns.turn("other.example.net"):
        pass


def test_the_refused_give_their_places_back(book: TurnBook) -> None:
    turns = Turns(book, FAST)
    turns.pause(HOST, 600.0)
    for _ in range(10):
        with pytest.raises(RateLimited), turns.turn(HOST):
            pass
    assert book.take_place(HOST, 1) == 1


def test_who_fails_during_a_turn_gives_the_place_back(book: TurnBook) -> None:
    turns = Turns(book, FAST)
    with pytest.raises(OSError, match="broken"), turns.turn(HOST):
        raise OSError("broken")
    assert book.take_place(HOST, 1) == 1


def test_a_short_pause_is_waited_for(book: TurnBook) -> None:
    turns = Turns(book, FAST)
    started = time.monotonic()
    turns.pause(HOST, 0.2)
    with turns.turn(HOST):
        assert time.monotonic() - started >= 0.2


def test_a_pause_that_comes_while_waiting_is_respected(book: TurnBook) -> None:
    turns = Turns(book, Paces(ServerPace(requests_per_second=2, max_in_flight=4)))
    with turns.turn(HOST):
        pass
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_take_a_turn, turns)
        _await(lambda: book.take_place(HOST, 1) is None)
        turns.pause(HOST, 600.0)
        with pytest.raises(RateLimited):
            waiting.result()


def test_the_pace_of_a_host_of_its_own_counts(book: TurnBook) -> None:
    slow = ServerPace(requests_per_second=0.01, max_in_flight=1)
    turns = Turns(book, Paces(FAST.default, {HOST: slow}))
    with turns.turn(HOST):
        assert book.take_place(HOST, slow.max_in_flight) is None
    assert book.next_turn(HOST, 1.0, 1000.0) == pytest.approx(100.0, abs=10)


def test_no_more_threads_ask_at_once_than_there_are_places(book: TurnBook) -> None:
    turns = Turns(book, Paces(ServerPace(requests_per_second=1000, max_in_flight=3)))
    lock, in_flight, most = threading.Lock(), 0, 0

    def ask() -> None:
        nonlocal in_flight, most
        with turns.turn(HOST):
            with lock:
                in_flight += 1
                most = max(most, in_flight)
            time.sleep(0.01)
            with lock:
                in_flight -= 1

    with ThreadPoolExecutor(12) as pool:
        for asked in [pool.submit(ask) for _ in range(36)]:
            asked.result()
    assert most <= 3


def test_threads_keep_the_rate_together(book: TurnBook) -> None:
    turns = Turns(book, Paces(ServerPace(requests_per_second=100, max_in_flight=4)))
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        for asked in [pool.submit(_take_a_turn, turns) for _ in range(31)]:
            asked.result()
    assert time.monotonic() - started >= 0.3


def test_waiting_for_a_place_is_no_busy_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(MemoryTurnBook):
        looks = 0

        def take_place(self, host: str, places: int) -> int | None:
            self.looks += 1
            return super().take_place(host, places)

    book = Counting()
    turns = Turns(book, Paces(ServerPace(requests_per_second=10_000, max_in_flight=1)))
    book.take_place(HOST, 1)
    shortest = turns_module.POLL_SECONDS[0] / 2
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        waiting = pool.submit(_take_a_turn, turns)
        _await(lambda: book.looks > 5)
        book.leave_place(HOST, 1)
        waiting.result()
        assert book.looks <= 2 + (time.monotonic() - started) / shortest


def _take_a_turn(turns: Turns) -> None:
    with turns.turn(HOST):
        pass


def _await(come_true: Callable[[], bool]) -> None:
    latest = time.monotonic() + 10
    while not come_true():
        assert time.monotonic() < latest
        time.sleep(0.005)
