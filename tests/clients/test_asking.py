import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain
from time import monotonic, sleep
from typing import ClassVar

import pytest
from lapsewatch.clients import asking, status_api
from lapsewatch.clients.asking import Answer
from lapsewatch.clients.budget import CallBudget, MemoryCallBudget
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.call_budget import Allowance, Grant
from lapsewatch.core.errors import BudgetSpent, Unavailable
from lapsewatch.core.evidence import Evidence, NoEvidence, NoEvidenceReason

from simulator.lives import Life
from simulator.world import World
from tests.clients.conftest import Scripted
from tests.conftest import API_KEY, EPOCH, SimulatedInternet, days, simulated

DOMAINS = [f"domain{number}.com" for number in range(60)]
FAST = Allowance(requests_per_second=1000, max_in_flight=16)


def now() -> datetime:
    return datetime.now(UTC)


def ask_all(
    client: StatusClient, domains: Collection[str], allowance: Allowance = FAST, budget: CallBudget | None = None
) -> list[Answer]:
    """Ask, and wait for all the answers."""
    budget = budget or MemoryCallBudget(allowance)
    return list(chain.from_iterable(asking.ask_all(client, domains, budget, now, count=len(domains))))


def taken_until(error: type[Exception], answers: Iterable[list[Answer]]) -> list[Answer]:
    """Return the answers that came before the error that has to come."""
    taken: list[Answer] = []
    try:
        for some in answers:
            taken.extend(some)
    except error:
        return taken
    pytest.fail(f"{error.__name__} did not come")


@pytest.fixture(scope="module")
def town() -> Iterator[SimulatedInternet]:
    with simulated(World.of({domain: Life.active(EPOCH + days(100)) for domain in DOMAINS}, EPOCH)) as running:
        yield running


@pytest.fixture
def client(town: SimulatedInternet) -> FastlyClient:
    town.order_faults()
    town.change_settings(latency_ms=0, requests_per_second=None)
    town.forget_calls()
    return FastlyClient(HttpSession(FAST.max_in_flight), town.url, API_KEY)


def test_every_domain_is_asked_once(town: SimulatedInternet, client: FastlyClient) -> None:
    answers = ask_all(client, DOMAINS)
    assert sorted(answer.domain for answer in answers) == sorted(DOMAINS)
    assert all(isinstance(answer.outcome, Evidence) and answer.call_count == 1 for answer in answers)
    assert town.calls()["total"] == len(DOMAINS)


def test_many_are_in_flight_at_once(town: SimulatedInternet, client: FastlyClient) -> None:
    town.change_settings(latency_ms=100)
    answers = ask_all(client, DOMAINS, Allowance(requests_per_second=1000, max_in_flight=16))
    span = max(answer.checked_at for answer in answers) - min(answer.checked_at for answer in answers)
    waited = sum(answer.latency_ms for answer in answers) / 1000
    assert waited > 3 * span.total_seconds()


def test_a_passing_fault_is_asked_again_and_counted(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "server_error", "status": 502, "times": 2, "domains": ["domain0.com"]})
    [answer] = ask_all(client, ["domain0.com"])
    assert isinstance(answer.outcome, Evidence)
    assert answer.call_count == 3


def test_a_lasting_fault_ends_without_evidence(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "server_error", "status": 500, "domains": ["domain1.com"]})
    outcomes = {answer.domain: answer.outcome for answer in ask_all(client, DOMAINS[:5])}
    assert isinstance(outcomes["domain1.com"], NoEvidence)
    assert outcomes["domain1.com"].reason is NoEvidenceReason.SERVER_ERROR
    assert sum(isinstance(outcome, Evidence) for outcome in outcomes.values()) == 4


def test_a_useless_answer_is_not_paid_for_twice(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "unknown_flag"})
    [answer] = ask_all(client, ["domain0.com"])
    assert answer.call_count == 1


def test_a_pause_that_was_asked_for_holds_everybody(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "rate_limited", "seconds": 1.0, "times": 1})
    answers = ask_all(client, DOMAINS[:10], Allowance(requests_per_second=1000, max_in_flight=1))
    assert all(isinstance(answer.outcome, Evidence) for answer in answers)
    [paused] = [answer for answer in answers if answer.call_count == 2]
    others = [answer.checked_at for answer in answers if answer.call_count == 1]
    assert len(others) == 9
    assert paused.checked_at <= min(others)


def test_a_pause_beyond_patience_is_left_to_the_next_run(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_PAUSE", 0.5)
    town.order_faults({"kind": "rate_limited", "seconds": 300.0})
    [answer] = ask_all(client, ["domain0.com"])
    assert isinstance(answer.outcome, NoEvidence)
    assert answer.outcome.reason is NoEvidenceReason.RATE_LIMITED
    assert answer.call_count == 1


def test_the_rate_is_kept(town: SimulatedInternet, client: FastlyClient) -> None:
    town.change_settings(requests_per_second=20)
    answers = ask_all(client, DOMAINS[:30], Allowance(requests_per_second=15, max_in_flight=16))
    assert town.calls()["by_status"] == {"200": 30}
    assert all(answer.call_count == 1 for answer in answers)


def test_a_refused_key_stops_the_batch_and_what_was_answered_is_kept(
    town: SimulatedInternet, client: FastlyClient
) -> None:
    town.order_faults({"kind": "refused", "status": 403, "domains": ["domain5.com"]})
    one_by_one = MemoryCallBudget(Allowance(requests_per_second=1000, max_in_flight=1))
    answers = asking.ask_all(client, DOMAINS, one_by_one, now, count=len(DOMAINS))
    assert [answer.domain for answer in taken_until(Refused, answers)] == DOMAINS[:5]
    assert town.calls()["total"] == 6


def test_a_wrong_key_stops_the_batch(town: SimulatedInternet) -> None:
    town.order_faults()
    town.forget_calls()
    allowance = Allowance(requests_per_second=20, max_in_flight=4)
    with pytest.raises(Refused):
        ask_all(FastlyClient(HttpSession(4), town.url, "wrong"), DOMAINS, allowance)
    assert town.calls()["total"] < len(DOMAINS)


def test_a_timeout_is_no_evidence(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_api, "TIMEOUT", (1.0, 0.05))
    town.order_faults({"kind": "timeout", "seconds": 0.3})
    [answer] = ask_all(client, ["domain0.com"])
    assert isinstance(answer.outcome, NoEvidence)
    assert answer.outcome.reason is NoEvidenceReason.TIMEOUT
    assert answer.call_count == asking.MAX_ATTEMPTS


def test_answers_are_dated_by_the_clock_that_was_given(client: FastlyClient) -> None:
    [[answer]] = asking.ask_all(client, ["domain0.com"], MemoryCallBudget(FAST), lambda: EPOCH, count=1)
    assert answer.checked_at == EPOCH


class Watched(FastlyClient):
    """Knows how many calls are in flight, and how many there ever were at once."""

    in_flight = most = 0

    async def status(self, domain: str) -> Evidence:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            return await super().status(domain)
        finally:
            self.in_flight -= 1


def test_never_more_calls_are_in_flight_than_allowed(town: SimulatedInternet, client: FastlyClient) -> None:
    town.change_settings(latency_ms=20)
    watched = Watched(HttpSession(5), town.url, API_KEY)
    ask_all(watched, DOMAINS, Allowance(requests_per_second=1000, max_in_flight=5))
    assert watched.most == 5


def test_who_is_slow_to_take_answers_slows_down_the_asking(town: SimulatedInternet, client: FastlyClient) -> None:
    budget = MemoryCallBudget(Allowance(requests_per_second=1000, max_in_flight=5))
    answers = asking.ask_all(client, DOMAINS, budget, now, count=len(DOMAINS))
    taken = len(next(answers))
    sleep(0.5)
    assert town.calls()["total"] <= 10
    assert taken + sum(map(len, answers)) == len(DOMAINS)


def test_an_answer_does_not_wait_for_others_for_long(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "timeout", "seconds": 4.0, "domains": ["domain1.com"]})
    batches = list(asking.ask_all(client, DOMAINS[:2], MemoryCallBudget(FAST), now, count=2))
    assert [[answer.domain for answer in batch] for batch in batches] == [["domain0.com"], ["domain1.com"]]


def test_who_needs_no_more_answers_waits_for_none(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "timeout", "seconds": 30.0, "domains": DOMAINS[30:]})
    answers = asking.ask_all(client, DOMAINS, MemoryCallBudget(FAST), now, count=len(DOMAINS))
    next(answers)
    before = monotonic()
    answers.close()
    assert monotonic() - before < 10


def test_told_to_stop_it_begins_no_call_and_awaits_those_in_flight(
    town: SimulatedInternet, client: FastlyClient
) -> None:
    town.change_settings(latency_ms=300)
    stop = threading.Event()
    budget = MemoryCallBudget(Allowance(requests_per_second=1000, max_in_flight=8))
    answers = asking.ask_all(client, DOMAINS, budget, now, count=len(DOMAINS), stop=stop)
    taken = len(next(answers))
    stop.set()
    taken += sum(map(len, answers))
    assert town.calls()["total"] == taken < len(DOMAINS)


def test_told_to_stop_it_hands_over_what_arrives_on_the_way(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who is killed in the end has written what came before.
    monkeypatch.setattr(asking, "DRAIN", 30.0)
    monkeypatch.setattr(asking, "MAX_DELAY", 0.2)
    town.order_faults(
        {"kind": "timeout", "seconds": 1.0, "domains": ["domain1.com"]},
        {"kind": "timeout", "seconds": 5.0, "domains": ["domain2.com"]},
    )
    stop = threading.Event()
    answers = asking.ask_all(client, DOMAINS[:3], MemoryCallBudget(FAST), now, count=3, stop=stop)
    assert [answer.domain for answer in next(answers)] == ["domain0.com"]
    stop.set()
    assert [[answer.domain for answer in some] for some in answers] == [["domain1.com"], ["domain2.com"]]


def test_told_to_stop_it_does_not_wait_for_ever(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "DRAIN", 0.2)
    town.order_faults({"kind": "timeout", "seconds": 30.0, "domains": ["domain1.com"]})
    stop = threading.Event()
    answers = asking.ask_all(client, DOMAINS[:2], MemoryCallBudget(FAST), now, count=2, stop=stop)
    assert len(next(answers)) == 1
    stop.set()
    assert list(answers) == []


def test_a_spent_budget_is_used_to_the_last_call(town: SimulatedInternet, client: FastlyClient) -> None:
    budget = MemoryCallBudget(Allowance(requests_per_second=50, max_in_flight=4, calls_per_day=33))
    answers = asking.ask_all(client, DOMAINS, budget, now, count=len(DOMAINS))
    assert len(taken_until(BudgetSpent, answers)) == town.calls()["total"] == 33


def test_what_is_asked_again_is_paid_for_again(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "server_error", "status": 500, "domains": ["domain0.com"]})
    budget = MemoryCallBudget(Allowance(requests_per_second=1000, max_in_flight=4, calls_per_day=13))
    answers = ask_all(client, DOMAINS[:10], budget=budget)
    assert sum(answer.call_count for answer in answers) == 13
    with pytest.raises(BudgetSpent):
        budget.reserve(1, 0)


class Noted(MemoryCallBudget):
    """Keeps what it was told."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self.refusals: list[float | None] = []
        self.granted = self.returned = 0

    def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
        grant = super().reserve(wanted, in_flight, unused)
        self.granted += grant.count
        return grant

    def refused(self, retry_after: float | None) -> None:
        self.refusals.append(retry_after)
        super().refused(retry_after)

    def leave(self, unused: int) -> None:
        self.returned += unused
        super().leave(unused)


def test_the_budget_is_told_of_a_refusal(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "rate_limited", "seconds": 1.0, "times": 3})
    budget = Noted(FAST)
    answers = ask_all(client, DOMAINS, budget=budget)
    assert all(isinstance(answer.outcome, Evidence) for answer in answers)
    assert sum(answer.call_count for answer in answers) == town.calls()["total"]
    assert set(budget.refusals) == {1.0}


def test_a_server_that_is_out_of_order_may_ask_for_a_pause_too(scripted: Scripted) -> None:
    scripted.code, scripted.headers = 503, {"Retry-After": "0"}
    budget = Noted(FAST)
    [answer] = ask_all(FastlyClient(HttpSession(1), scripted.url, API_KEY), ["domain0.com"], budget=budget)
    assert isinstance(answer.outcome, NoEvidence)
    assert budget.refusals == [0.0] * asking.MAX_ATTEMPTS


def test_turns_that_were_not_used_are_given_back(town: SimulatedInternet, client: FastlyClient) -> None:
    budget = Noted(Allowance(requests_per_second=1000, max_in_flight=4))
    stop = threading.Event()
    answers = asking.ask_all(client, DOMAINS, budget, now, count=len(DOMAINS), stop=stop)
    next(answers)
    # The calls in flight end by themselves: one that is broken off may have reached the server or not.
    stop.set()
    assert list(answers)
    assert budget.returned > 0
    assert budget.granted - budget.returned == town.calls()["total"]


def test_turns_that_are_granted_while_it_ends_are_given_back(town: SimulatedInternet, client: FastlyClient) -> None:
    stop, is_asked = threading.Event(), threading.Event()

    class Late(Noted):
        def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
            is_asked.set()
            sleep(0.5)
            return super().reserve(wanted, in_flight, unused)

    budget = Late(FAST)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(list, asking.ask_all(client, DOMAINS, budget, now, count=len(DOMAINS), stop=stop))
        assert is_asked.wait(10)
        stop.set()
        assert asked.result() == []
    assert budget.granted == budget.returned == len(DOMAINS)


def test_after_a_standstill_turns_follow_one_another(town: SimulatedInternet) -> None:
    class Stalling(Watched):
        began: ClassVar[list[float]] = []

        async def status(self, domain: str) -> Evidence:
            self.began.append(monotonic())
            if len(self.began) == 5:
                sleep(1.0)  # the whole event loop stands still
            return await super().status(domain)

    class AllAtOnce(MemoryCallBudget):
        def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
            return Grant(0 if unused else wanted, 0.0, 0.01, 60, 1.0)

    town.change_settings(latency_ms=0)
    ask_all(Stalling(HttpSession(60), town.url, API_KEY), DOMAINS, budget=AllAtOnce(FAST))
    # Two hundredths of the second are made up for.
    assert Stalling.began[30] - Stalling.began[5] >= 25 * 0.01 - 0.03


def test_an_api_without_a_word_is_given_up(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_SILENCE", 20)
    town.order_faults({"kind": "server_error", "status": 503, "domains": DOMAINS[10:]})
    answers = asking.ask_all(client, DOMAINS, MemoryCallBudget(FAST), now, count=len(DOMAINS))
    assert 20 <= len(taken_until(Unavailable, answers)) < len(DOMAINS)


def test_a_quota_that_is_used_up_does_not_cost_the_whole_batch(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_SILENCE", 10)
    town.order_faults({"kind": "rate_limited", "seconds": 0.0})
    answers = asking.ask_all(client, DOMAINS, MemoryCallBudget(FAST), now, count=len(DOMAINS))
    assert 10 <= len(taken_until(Unavailable, answers)) < len(DOMAINS)


def test_a_word_now_and_then_is_enough(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_SILENCE", 10)
    monkeypatch.setattr(asking, "MAX_ATTEMPTS", 1)
    silent = [domain for place, domain in enumerate(DOMAINS) if place % 5]
    town.order_faults({"kind": "server_error", "status": 503, "domains": silent})
    one_by_one = Allowance(requests_per_second=1000, max_in_flight=1)
    assert len(ask_all(client, DOMAINS, one_by_one)) == len(DOMAINS)


def test_what_goes_wrong_with_the_reading_is_raised(client: FastlyClient) -> None:
    def domains() -> Iterator[str]:
        yield "domain0.com"
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        list(asking.ask_all(client, domains(), MemoryCallBudget(FAST), now, count=2))


def test_many_more_domains_than_are_read_ahead_are_asked_once_each(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "READ_AHEAD", 7)
    ask_all(client, DOMAINS)
    assert town.calls()["by_domain"] == dict.fromkeys(DOMAINS, 1)


def test_nothing_to_ask_is_nothing_to_do(client: FastlyClient) -> None:
    assert ask_all(client, []) == []
