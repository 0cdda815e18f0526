"""The same cases for every client of a status API, over real HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from lapsewatch.clients import status_api
from lapsewatch.clients.domainr import DomainrClient
from lapsewatch.clients.errors import BadAnswer, ClientError, RateLimited, Refused, RemoteFault, Unreachable
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.evidence import Evidence, Flag, NoEvidenceReason

from simulator.world import World
from tests.conftest import API_KEY, EPOCH, LIVES, SimulatedInternet, simulated

MakeClient = Callable[[str, str], StatusClient]


@pytest.fixture(params=[FastlyClient, DomainrClient])
def make_client(request: pytest.FixtureRequest) -> MakeClient:
    return lambda url, key=API_KEY: request.param(HttpSession(2), url, key)


def ask(client: StatusClient, domain: str) -> Evidence:
    async def in_its_session() -> Evidence:
        async with client.session:
            return await client.status(domain)

    return asyncio.run(in_its_session())


def test_every_stage_of_life_is_read_as_evidence(make_client: MakeClient, internet: SimulatedInternet) -> None:
    client = make_client(internet.url)
    leading = {domain: ask(client, domain).flags[-1] for domain in LIVES}
    assert leading == {
        "alive.com": Flag.ACTIVE,
        "alive.co.uk": Flag.ACTIVE,
        "ingrace.net": Flag.ACTIVE,
        "redeemable.org": Flag.EXPIRING,
        "deleted.io": Flag.DELETING,
        "released.dev": Flag.INACTIVE,
        "taken.net": Flag.ACTIVE,
        "xn--mnchen-3ya.de": Flag.ACTIVE,
    }


def test_flags_keep_their_order_and_the_answer_is_kept(make_client: MakeClient, internet: SimulatedInternet) -> None:
    evidence = ask(make_client(internet.url), "redeemable.org")
    assert evidence.flags == (Flag.UNDELEGATED, Flag.ACTIVE, Flag.EXPIRING)
    assert "undelegated active expiring" in evidence.raw


FAULTS = [
    ({"kind": "server_error", "status": 503}, RemoteFault, NoEvidenceReason.SERVER_ERROR),
    ({"kind": "rate_limited", "seconds": 7.0}, RateLimited, NoEvidenceReason.RATE_LIMITED),
    ({"kind": "refused", "status": 401}, Refused, NoEvidenceReason.REFUSED),
    ({"kind": "refused", "status": 403}, Refused, NoEvidenceReason.REFUSED),
    ({"kind": "not_json"}, RemoteFault, NoEvidenceReason.NOT_JSON),
    ({"kind": "truncated"}, RemoteFault, NoEvidenceReason.NOT_JSON),
    ({"kind": "nested"}, RemoteFault, NoEvidenceReason.NOT_JSON),
    ({"kind": "oversized"}, BadAnswer, NoEvidenceReason.TOO_LARGE),
    ({"kind": "no_status"}, BadAnswer, NoEvidenceReason.NO_STATUS),
    ({"kind": "other_domain"}, BadAnswer, NoEvidenceReason.OTHER_DOMAIN),
    ({"kind": "unknown_flag"}, BadAnswer, NoEvidenceReason.UNKNOWN_FLAG),
]


@pytest.mark.parametrize(("fault", "error", "reason"), FAULTS, ids=lambda value: getattr(value, "value", None))
def test_every_fault_is_a_typed_error(
    make_client: MakeClient,
    internet: SimulatedInternet,
    fault: dict[str, Any],
    error: type[ClientError],
    reason: NoEvidenceReason,
) -> None:
    internet.order_faults(fault)
    with pytest.raises(error) as raised:
        ask(make_client(internet.url), "alive.com")
    assert raised.value.reason is reason
    assert raised.value.is_transient is (error in {RemoteFault, RateLimited})


def test_a_pause_that_was_asked_for_is_carried(make_client: MakeClient, internet: SimulatedInternet) -> None:
    internet.order_faults({"kind": "rate_limited", "seconds": 7.0})
    with pytest.raises(RateLimited) as raised:
        ask(make_client(internet.url), "alive.com")
    assert raised.value.retry_after == 7.0


def test_a_slow_answer_is_a_timeout(
    make_client: MakeClient, internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_api, "TIMEOUT", (1.0, 0.1))
    internet.order_faults({"kind": "timeout", "seconds": 0.5})
    with pytest.raises(Unreachable) as raised:
        ask(make_client(internet.url), "alive.com")
    assert raised.value.reason is NoEvidenceReason.TIMEOUT


def test_an_answer_that_drips_is_a_timeout(
    make_client: MakeClient, internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_api, "TIMEOUT", (1.0, 0.3))
    internet.order_faults({"kind": "dripping"})
    with pytest.raises(Unreachable) as raised:
        ask(make_client(internet.url), "alive.com")
    assert raised.value.reason is NoEvidenceReason.TIMEOUT


def test_an_answer_is_read_as_utf_8_whatever_it_calls_itself(
    make_client: MakeClient, internet: SimulatedInternet
) -> None:
    internet.order_faults({"kind": "mislabelled"})
    evidence = ask(make_client(internet.url), "redeemable.org")
    assert evidence.flags[-1] is Flag.EXPIRING
    assert evidence.raw.isascii()


def test_what_is_kept_of_an_answer_is_short(make_client: MakeClient, internet: SimulatedInternet) -> None:
    internet.order_faults({"kind": "nested"})
    with pytest.raises(RemoteFault) as raised:
        ask(make_client(internet.url), "alive.com")
    assert len(raised.value.raw) == 2000


def test_a_service_that_is_not_there_is_unreachable(make_client: MakeClient) -> None:
    with simulated(World.of({}, EPOCH)) as gone:
        url = gone.url
    with pytest.raises(Unreachable) as raised:
        ask(make_client(url), "alive.com")
    assert raised.value.reason is NoEvidenceReason.UNREACHABLE


def test_a_wrong_key_is_refused_and_named_nowhere(make_client: MakeClient, internet: SimulatedInternet) -> None:
    key = "a-wrong-key"
    with pytest.raises(Refused) as raised:
        ask(make_client(internet.url, key), "alive.com")
    assert key not in f"{raised.value!r} {raised.value.raw}"


def test_a_name_that_the_service_does_not_take_is_a_bad_request(
    make_client: MakeClient, internet: SimulatedInternet
) -> None:
    with pytest.raises(BadAnswer) as raised:
        ask(make_client(internet.url), "Not A Domain")
    assert raised.value.reason is NoEvidenceReason.BAD_REQUEST
