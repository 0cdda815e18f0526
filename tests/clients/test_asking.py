from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from lapsewatch.clients import asking, status_api
from lapsewatch.clients.asking import Pace, ask_all, pooled_session
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.core.evidence import Evidence, NoEvidence, NoEvidenceReason

from simulator.lives import Life
from simulator.world import World
from tests.conftest import API_KEY, EPOCH, SimulatedInternet, days, simulated

DOMAINS = [f"domain{number}.com" for number in range(60)]
FAST = Pace(requests_per_second=1000, max_in_flight=16)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def town() -> Iterator[SimulatedInternet]:
    with simulated(World.of({domain: Life.active(EPOCH + days(100)) for domain in DOMAINS}, EPOCH)) as running:
        yield running


@pytest.fixture
def client(town: SimulatedInternet) -> Iterator[FastlyClient]:
    town.order_faults()
    town.change_settings(latency_ms=0, requests_per_second=None)
    town.forget_calls()
    with pooled_session(FAST.max_in_flight) as session:
        yield FastlyClient(session, town.url, API_KEY)


def test_every_domain_is_asked_once(town: SimulatedInternet, client: FastlyClient) -> None:
    answers = list(ask_all(client, DOMAINS, FAST, now))
    assert sorted(answer.domain for answer in answers) == sorted(DOMAINS)
    assert all(isinstance(answer.outcome, Evidence) and answer.call_count == 1 for answer in answers)
    assert town.calls()["total"] == len(DOMAINS)


def test_many_are_in_flight_at_once(town: SimulatedInternet, client: FastlyClient) -> None:
    town.change_settings(latency_ms=100)
    answers = list(ask_all(client, DOMAINS, Pace(requests_per_second=1000, max_in_flight=16), now))
    span = max(answer.checked_at for answer in answers) - min(answer.checked_at for answer in answers)
    waited = sum(answer.latency_ms for answer in answers) / 1000
    assert waited > 3 * span.total_seconds()


def test_a_passing_fault_is_asked_again_and_counted(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "server_error", "status": 502, "times": 2, "domains": ["domain0.com"]})
    [answer] = ask_all(client, ["domain0.com"], FAST, now)
    assert isinstance(answer.outcome, Evidence)
    assert answer.call_count == 3


def test_a_lasting_fault_ends_without_evidence(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "server_error", "status": 500, "domains": ["domain1.com"]})
    outcomes = {answer.domain: answer.outcome for answer in ask_all(client, DOMAINS[:5], FAST, now)}
    assert isinstance(outcomes["domain1.com"], NoEvidence)
    assert outcomes["domain1.com"].reason is NoEvidenceReason.SERVER_ERROR
    assert sum(isinstance(outcome, Evidence) for outcome in outcomes.values()) == 4


def test_a_useless_answer_is_not_paid_for_twice(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "unknown_flag"})
    [answer] = ask_all(client, ["domain0.com"], FAST, now)
    assert answer.call_count == 1


def test_a_pause_that_was_asked_for_holds_everybody(town: SimulatedInternet, client: FastlyClient) -> None:
    town.order_faults({"kind": "rate_limited", "seconds": 1.0, "times": 1})
    answers = list(ask_all(client, DOMAINS[:10], Pace(requests_per_second=1000, max_in_flight=1), now))
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
    [answer] = ask_all(client, ["domain0.com"], FAST, now)
    assert isinstance(answer.outcome, NoEvidence)
    assert answer.outcome.reason is NoEvidenceReason.RATE_LIMITED
    assert answer.call_count == 1


def test_the_rate_is_kept(town: SimulatedInternet, client: FastlyClient) -> None:
    town.change_settings(requests_per_second=20)
    answers = list(ask_all(client, DOMAINS[:30], Pace(requests_per_second=15, max_in_flight=16), now))
    assert town.calls()["by_status"] == {"200": 30}
    assert all(answer.call_count == 1 for answer in answers)


def test_a_refused_key_stops_the_batch(town: SimulatedInternet) -> None:
    town.order_faults()
    town.forget_calls()
    pace = Pace(requests_per_second=20, max_in_flight=4)
    with pooled_session(4) as session, pytest.raises(Refused):
        list(ask_all(FastlyClient(session, town.url, "wrong"), DOMAINS, pace, now))
    assert town.calls()["total"] < len(DOMAINS)


def test_a_timeout_is_no_evidence(
    town: SimulatedInternet, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_api, "TIMEOUT", (1.0, 0.05))
    town.order_faults({"kind": "timeout", "seconds": 0.3})
    [answer] = ask_all(client, ["domain0.com"], FAST, now)
    assert isinstance(answer.outcome, NoEvidence)
    assert answer.outcome.reason is NoEvidenceReason.TIMEOUT
    assert answer.call_count == asking.MAX_ATTEMPTS


def test_answers_are_dated_by_the_clock_that_was_given(client: FastlyClient) -> None:
    [answer] = ask_all(client, ["domain0.com"], FAST, lambda: EPOCH)
    assert answer.checked_at == EPOCH


def test_nothing_to_ask_is_nothing_to_do(client: FastlyClient) -> None:
    assert list(ask_all(client, [], FAST, now)) == []


def test_the_session_keeps_a_connection_for_every_call_in_flight() -> None:
    with pooled_session(7) as session:
        adapter = session.get_adapter("https://example.com")
        assert isinstance(adapter, requests.adapters.HTTPAdapter)
        assert adapter.poolmanager.connection_pool_kw["maxsize"] == 7
