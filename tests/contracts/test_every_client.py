"""The same cases for every client, over real HTTP and UDP: what each witness says, and that it says nothing else."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from lapsewatch.clients import rdap, status_api
from lapsewatch.clients.dns import DnsClient, Resolver
from lapsewatch.clients.domainr import DomainrClient
from lapsewatch.clients.errors import ClientError
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.rdap import RdapClient, read_rdap
from lapsewatch.clients.rdap_bootstrap import open_bootstrap
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.clients.turns import MemoryTurnBook, Paces, ServerPace, Turns
from lapsewatch.core.evidence import DnsOutcome, DnsReading, NoEvidenceReason, RdapOutcome, RdapReading

from simulator.world import World
from tests.conftest import API_KEY, EPOCH, LIVES, SimulatedInternet, simulated

UNLISTED = {"io": "identity", "de": "denic"}


NAMES = ["fastly", "domainr", "rdap", "dns"]
SERVICES = {"fastly": "status", "domainr": "status", "rdap": "rdap", "dns": "dns"}
log = logging.getLogger("whoever catches the error")

Ask = Callable[[str], str]
MakeAsk = Callable[[SimulatedInternet], Ask]


def status_words(client: StatusClient) -> Ask:
    async def ask(domain: str) -> str:
        async with client.session:
            return (await client.status(domain)).flags[-1].value

    return lambda domain: asyncio.run(ask(domain))


def rdap_words(client: RdapClient) -> Ask:
    def ask(domain: str) -> str:
        reading = client.record(domain)
        lapsing = [status for status in reading.status if status in {"redemption period", "pending delete"}]
        return " and ".join([reading.outcome.value, *lapsing[:1]])

    return ask


def dns_words(client: DnsClient) -> Ask:
    def ask(domain: str) -> str:
        reading = client.reading(domain)
        if reading.outcome is DnsOutcome.NO_EVIDENCE:
            return f"no evidence: {reading.reason}"
        return f"{reading.outcome.value} with mail" if reading.mx else reading.outcome.value

    return ask


def forgiving(ask: Ask) -> Ask:
    """Turn typed errors into words, and write them to the log as a stage might."""

    def ask_and_tell(domain: str) -> str:
        try:
            return ask(domain)
        except ClientError as error:
            log.warning("%r", error, exc_info=error)
            return f"no evidence: {error.reason}"

    return ask_and_tell


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """The client's."""
    given: str = request.param
    return given


@pytest.fixture
def make_ask(name: str, session: requests.Session) -> MakeAsk:
    """Makes a client of that name, as a function that says in words what the client says of a domain."""

    def make(internet: SimulatedInternet) -> Ask:
        match name:
            case "fastly":
                return forgiving(status_words(FastlyClient(HttpSession(1), internet.url, API_KEY)))
            case "domainr":
                return forgiving(status_words(DomainrClient(HttpSession(1), internet.url, API_KEY)))
            case "rdap":
                return forgiving(rdap_words(rdap_client(session, internet)))
        return forgiving(dns_words(DnsClient([Resolver(*internet.dns)], timeout=0.2, tries=2)))

    return make


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def rdap_client(session: requests.Session, internet: SimulatedInternet) -> RdapClient:
    configured = {suffix: f"{internet.url}/rdap/{registry}/" for suffix, registry in UNLISTED.items()}
    bootstrap = open_bootstrap(session, url=f"{internet.url}/rdap/dns.json", configured=configured)
    return RdapClient(session, bootstrap, Turns(MemoryTurnBook(), Paces(ServerPace(requests_per_second=1000))))


SAYS = {
    "alive.com": ("active", "active", "found", "delegated with mail"),
    "alive.co.uk": ("active", "active", "found", "delegated with mail"),
    "ingrace.net": ("active", "active", "found", "delegated with mail"),
    "redeemable.org": ("expiring", "expiring", "found and redemption period", "not_delegated"),
    "deleted.io": ("deleting", "deleting", "found and pending delete", "not_delegated"),
    "released.dev": ("inactive", "inactive", "not_found", "not_delegated"),
    "taken.net": ("active", "active", "found", "delegated with mail"),
    "xn--mnchen-3ya.de": ("active", "active", "found", "delegated with mail"),
}


def test_each_stage_of_life_is_told(name: str, make_ask: MakeAsk, internet: SimulatedInternet) -> None:
    ask, column = make_ask(internet), NAMES.index(name)
    assert {domain: ask(domain) for domain in LIVES} == {domain: says[column] for domain, says in SAYS.items()}


FAULTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"kind": "timeout", "seconds": 1.0}, {"status": "timeout", "rdap": "timeout", "dns": "timeout"}),
    ({"kind": "server_error", "status": 500}, {"status": "server_error", "rdap": "server_error"}),
    ({"kind": "servfail"}, {"dns": "servfail"}),
    ({"kind": "rate_limited", "seconds": 7.0}, {"status": "rate_limited", "rdap": "rate_limited"}),
    ({"kind": "refused", "status": 401}, {"status": "refused", "rdap": "refused", "dns": "servfail"}),
    ({"kind": "refused", "status": 403}, {"status": "refused", "rdap": "refused"}),
    ({"kind": "refused", "status": 422}, {"rdap": "refused"}),
    ({"kind": "not_json"}, {"status": "not_json", "rdap": "not_json"}),
    ({"kind": "truncated"}, {"status": "not_json", "rdap": "not_json"}),
    ({"kind": "nested"}, {"status": "not_json", "rdap": "not_json"}),
    ({"kind": "dripping"}, {"status": "timeout", "rdap": "timeout"}),
    ({"kind": "oversized"}, {"status": "too_large", "rdap": "too_large"}),
    ({"kind": "wrong_object"}, {"rdap": "wrong_object"}),
    ({"kind": "error_with_200"}, {"rdap": "wrong_object"}),
    ({"kind": "no_status"}, {"status": "no_status"}),
    ({"kind": "other_domain"}, {"status": "other_domain", "rdap": "other_domain", "dns": "bad_dns_answer"}),
    ({"kind": "unknown_flag"}, {"status": "unknown_flag"}),
]


def ordered(fault: dict[str, Any], service: str) -> dict[str, Any]:
    """Return the fault as the service takes it: DNS has no seconds and no statuses."""
    over_dns = {"kind": fault["kind"]} if service == "dns" else fault
    return {"service": service, **over_dns}


CASES = [
    pytest.param(
        name, ordered(fault, SERVICES[name]), reasons[SERVICES[name]], id=f"{name} {' '.join(map(str, fault.values()))}"
    )
    for name in NAMES
    for fault, reasons in FAULTS
    if SERVICES[name] in reasons
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (status_api, rdap):
        monkeypatch.setattr(module, "TIMEOUT", (1.0, 0.3))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("name", "fault", "reason"), CASES, indirect=["name"])
def test_a_fault_is_no_evidence_and_shows_neither_key_nor_domain(
    make_ask: MakeAsk, internet: SimulatedInternet, caplog: pytest.LogCaptureFixture, fault: dict[str, Any], reason: str
) -> None:
    caplog.set_level(logging.INFO)
    internet.order_faults(fault)
    assert make_ask(internet)("redeemable.org") == f"no evidence: {reason}"
    assert API_KEY not in caplog.text
    assert "redeemable" not in caplog.text
    internet.order_faults()
    assert not make_ask(internet)("redeemable.org").startswith("no evidence")


def test_what_is_not_there_is_no_evidence(name: str, make_ask: MakeAsk, caplog: pytest.LogCaptureFixture) -> None:
    with simulated(World.of(LIVES, EPOCH)) as internet:
        ask = make_ask(internet)
    # Over UDP nobody says that nobody is there.
    reason = NoEvidenceReason.TIMEOUT if name == "dns" else NoEvidenceReason.UNREACHABLE
    assert ask("alive.com") == f"no evidence: {reason}"
    assert "alive" not in caplog.text


def test_what_is_no_domain_is_no_evidence(make_ask: MakeAsk, internet: SimulatedInternet) -> None:
    assert make_ask(internet)("Not A Domain") in {"no evidence: bad_request", "no evidence: no_server"}


# What only one kind of witness says.


def test_the_registrys_record_is_read_as_it_stands(session: requests.Session, internet: SimulatedInternet) -> None:
    reading = rdap_client(session, internet).record("taken.net")
    life = LIVES["taken.net"]
    assert reading.registered_at == life.registered_at(EPOCH)
    assert reading.expires_at == life.expires_at(EPOCH)
    assert reading.changed_at is not None
    assert reading.changed_at <= EPOCH
    assert reading.nameservers == ("ns1.taken.net", "ns2.taken.net")
    assert reading.registrar in {"Names by the Dozen, Ltd.", "Perpetual Registrations GmbH"}
    assert reading.status == ("client transfer prohibited",)


def test_the_registrar_is_not_asked(session: requests.Session, internet: SimulatedInternet) -> None:
    client = rdap_client(session, internet)
    client.record("redeemable.org")
    assert internet.calls()["rdap"]["by_registry"] == {"pir": 1}


def test_a_released_domain_is_asked_for_once(session: requests.Session, internet: SimulatedInternet) -> None:
    client = rdap_client(session, internet)
    assert client.record("released.dev") == RdapReading(RdapOutcome.NOT_FOUND)
    assert internet.calls()["rdap"]["by_domain"] == {"released.dev": 1}


def test_a_refusal_pauses_the_host_for_all_its_registries(
    session: requests.Session, internet: SimulatedInternet
) -> None:
    internet.order_faults({"service": "rdap", "kind": "rate_limited", "seconds": 120.0, "domains": ["alive.com"]})
    client = rdap_client(session, internet)
    assert read_rdap(client, "alive.com").reason is NoEvidenceReason.RATE_LIMITED
    # The simulator's registries share one host, as those of a large operator do.
    assert read_rdap(client, "ingrace.net").reason is NoEvidenceReason.SERVER_PAUSED
    assert internet.calls()["rdap"]["total"] == 1


def test_a_bootstrap_file_that_is_late_is_none(
    session: requests.Session, internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lapsewatch.clients.rdap_bootstrap.TIMEOUT", (1.0, 0.1))
    internet.order_faults({"service": "bootstrap", "kind": "timeout", "seconds": 1.0})
    with pytest.raises(ClientError) as raised:
        open_bootstrap(session, url=f"{internet.url}/rdap/dns.json")
    assert raised.value.reason is NoEvidenceReason.TIMEOUT


def test_what_is_cut_off_in_a_datagram_is_asked_for_over_tcp(internet: SimulatedInternet) -> None:
    internet.order_faults({"service": "dns", "kind": "truncated"})
    reading = DnsClient([Resolver(*internet.dns)], timeout=1.0).reading("alive.com")
    assert reading == DnsReading(DnsOutcome.DELEGATED, ("ns1.alive.com", "ns2.alive.com"), mx=True, address=True)
