from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import chain

import pytest
from lapsewatch.clients import asking, status_api
from lapsewatch.clients.asking import Answer
from lapsewatch.clients.budget import Allowance, CallBudget, MemoryCallBudget
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.evidence import Evidence, NoEvidence, NoEvidenceReason

from simulator.lives import Life
from simulator.world import World
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


def test_a_refused_key_stops_the_batch(town: SimulatedInternet) -> None:
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


def test_nothing_to_ask_is_nothing_to_do(client: FastlyClient) -> None:
    assert ask_all(client, []) == []
