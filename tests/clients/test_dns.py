"""The DNS client beyond the contract: answers that the simulated resolver never gives."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lapsewatch.clients.dns import MAX_HOSTS, DnsClient, Resolver, system_resolvers
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import Denial, DnsOutcome, DnsReading, NoEvidenceReason

Reply = Callable[[dns.message.Message], dns.message.Message | bytes | None]
DELEGATED, NOT_DELEGATED, NO_EVIDENCE = DnsOutcome.DELEGATED, DnsOutcome.NOT_DELEGATED, DnsOutcome.NO_EVIDENCE


class Scripted:
    """A resolver that answers as it is told, and remembers the questions."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.reply: Reply = lambda _: None
        self.asked: list[str] = []


@contextmanager
def scripted_resolver() -> Iterator[Scripted]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        script = Scripted(Resolver("127.0.0.1", udp.getsockname()[1]))

        def serve() -> None:
            while wire_and_sender := udp.recvfrom(65535):
                wire, sender = wire_and_sender
                if not wire:
                    return
                query = dns.message.from_wire(wire)
                script.asked.append(f"{query.question[0].name} {dns.rdatatype.to_text(query.question[0].rdtype)}")
                reply = script.reply(query)
                if reply is not None:
                    udp.sendto(reply if isinstance(reply, bytes) else reply.to_wire(), sender)

        thread = Thread(target=serve)
        thread.start()
        yield script
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopping:
            stopping.sendto(b"", ("127.0.0.1", script.resolver.port))
        thread.join()


@pytest.fixture(scope="module")
def shared_resolver() -> Iterator[Scripted]:
    with scripted_resolver() as running:
        yield running


@pytest.fixture
def resolver(shared_resolver: Scripted) -> Scripted:
    shared_resolver.asked.clear()
    return shared_resolver


@pytest.fixture
def client(resolver: Scripted) -> DnsClient:
    return DnsClient([resolver.resolver], timeout=0.5, tries=1)


def answering(
    answer: dict[str, list[str]] | None = None, soa: str = "", rcode: dns.rcode.Rcode = dns.rcode.NOERROR
) -> Reply:
    """Reply with the records for the type that is asked for (or `ANY`), each `name data` or `name TYPE data`."""

    def reply(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(rcode)
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        for record in (answer or {}).get(kind, []):
            name, type_, data = record.split(" ", 2)
            response.answer.append(dns.rrset.from_text(name, 60, "IN", type_, data))
        # Whoever denies a host says which zone says so; about the delegation the tests say it themselves.
        zone = soa or ("" if kind == "NS" else "example.com.")
        if zone and not response.answer:
            data = "ns1.example. hostmaster.example. 1 7200 900 1209600 300"
            response.authority.append(dns.rrset.from_text(zone, 60, "IN", "SOA", data))
        return response

    return reply


NS = {"NS": ["example.com. NS NS2.Example.net.", "example.com. NS ns1.example.net."]}


def test_name_servers_are_lower_case_and_without_the_final_dot(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering(NS)
    reading = client.reading("example.com")
    assert reading == DnsReading(DELEGATED, ("ns1.example.net", "ns2.example.net"), mx=False, address=False)
    assert resolver.asked == ["example.com. NS", "example.com. MX", "example.com. A", "example.com. AAAA"]


def test_a_name_that_does_not_exist_has_nothing_below_it(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering(soa="com.", rcode=dns.rcode.NXDOMAIN)
    assert client.reading("example.com", ["mail.example.com"]) == DnsReading(
        NOT_DELEGATED, mx=False, address=False, denial=Denial.NXDOMAIN
    )
    assert resolver.asked == ["example.com. NS"]


def test_no_name_servers_by_the_parents_word_is_no_delegation(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering(soa="com.")
    assert client.reading("example.com") == DnsReading(NOT_DELEGATED, mx=False, address=False, denial=Denial.NODATA)


def test_a_parent_may_hold_the_mail_of_what_it_does_not_delegate(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering({"MX": ["example.de. MX 10 mail.example.net."]}, soa="de.")
    assert client.reading("example.de") == DnsReading(NOT_DELEGATED, mx=True, address=False, denial=Denial.NODATA)


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_what_the_domains_own_zone_says_was_delegated(
    client: DnsClient, resolver: Scripted, rcode: dns.rcode.Rcode
) -> None:
    resolver.reply = answering(soa="example.com.", rcode=rcode)
    assert client.reading("example.com") == DnsReading(DELEGATED, (), mx=False, address=False)


def test_an_alias_at_the_domain_was_delegated_wherever_it_leads(client: DnsClient, resolver: Scripted) -> None:
    alias = {"NS": ["example.com. CNAME gone.example.net."]}
    resolver.reply = answering(alias, rcode=dns.rcode.NXDOMAIN)
    assert client.reading("example.com").outcome is DELEGATED


@pytest.mark.parametrize("soa", ["", "other.com.", "sub.example.com."])
def test_nothing_at_all_from_nobody_in_charge_is_no_evidence(client: DnsClient, resolver: Scripted, soa: str) -> None:
    resolver.reply = answering(soa=soa)
    reading = client.reading("example.com")
    assert reading == DnsReading(NO_EVIDENCE, reason=NoEvidenceReason.BAD_DNS_ANSWER)


@pytest.mark.parametrize(
    ("rcode", "reason"),
    [
        (dns.rcode.SERVFAIL, NoEvidenceReason.SERVFAIL),
        (dns.rcode.REFUSED, NoEvidenceReason.SERVFAIL),
        (dns.rcode.FORMERR, NoEvidenceReason.BAD_DNS_ANSWER),
        (dns.rcode.NOTIMP, NoEvidenceReason.BAD_DNS_ANSWER),
    ],
)
def test_an_answer_that_is_none_says_nothing(
    client: DnsClient, resolver: Scripted, rcode: dns.rcode.Rcode, reason: NoEvidenceReason
) -> None:
    resolver.reply = answering(rcode=rcode)
    assert client.reading("example.com") == DnsReading(NO_EVIDENCE, reason=reason)


@pytest.mark.parametrize(
    ("records", "mx"),
    [
        (["host.example.com. MX 10 mail.example.net."], True),
        (["host.example.com. MX 0 ."], False),
        (["host.example.com. MX 0 .", "host.example.com. MX 10 mail.example.net."], True),
        (["host.example.com. CNAME other.example.", "other.example. MX 5 mail.example.net."], True),
        (["host.example.com. CNAME other.example."], False),
        ([], False),
    ],
)
def test_mail_is_taken_where_an_mx_names_a_host(
    client: DnsClient, resolver: Scripted, records: list[str], mx: bool
) -> None:
    resolver.reply = answering(NS | {"MX": records})
    assert client.reading("example.com", ["host.example.com"]).mx is mx


@pytest.mark.parametrize(
    ("records", "address"),
    [
        ({"A": ["host.example.com. A 192.0.2.1"]}, True),
        ({"AAAA": ["host.example.com. AAAA 2001:db8::1"]}, True),
        ({"A": ["host.example.com. CNAME x.example.", "x.example. A 192.0.2.1"]}, True),
        ({"A": ["host.example.com. CNAME x.example."]}, False),
        ({}, False),
    ],
)
def test_an_address_is_an_a_or_an_aaaa_record(
    client: DnsClient, resolver: Scripted, records: dict[str, list[str]], address: bool
) -> None:
    resolver.reply = answering(NS | records)
    assert client.reading("example.com", ["host.example.com"]).address is address


def by_name(replies: dict[str, Reply]) -> Reply:
    return lambda query: replies[str(query.question[0].name)](query)


def test_one_host_with_mail_is_enough(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = by_name(
        {
            "example.com.": answering(NS),
            "a.example.com.": answering(rcode=dns.rcode.SERVFAIL),
            "b.example.com.": answering({"MX": ["b.example.com. MX 1 m.example."]}),
        }
    )
    assert client.reading("example.com", ["a.example.com", "b.example.com"]).mx is True


def test_a_host_of_which_dns_says_nothing_leaves_it_open(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = by_name(
        {
            "example.com.": answering(NS),
            "a.example.com.": answering(rcode=dns.rcode.SERVFAIL),
            "b.example.com.": answering(rcode=dns.rcode.NXDOMAIN),
        }
    )
    reading = client.reading("example.com", ["a.example.com", "b.example.com"])
    assert (reading.outcome, reading.mx, reading.address) == (DELEGATED, None, None)


def test_no_mx_is_half_an_answer_while_the_address_is_not_known(client: DnsClient, resolver: Scripted) -> None:
    def reply(query: dns.message.Message) -> dns.message.Message:
        kind = query.question[0].rdtype
        silent = kind in {dns.rdatatype.A, dns.rdatatype.AAAA}
        return answering(NS, soa="example.com.", rcode=dns.rcode.SERVFAIL if silent else dns.rcode.NOERROR)(query)

    resolver.reply = reply
    reading = client.reading("example.com")
    assert (reading.outcome, reading.mx, reading.address) == (DELEGATED, None, None)


@pytest.mark.parametrize("host", ["not a host", "a..example.com", "", "x" * 64 + ".com", ".".join(["a"] * 200)])
def test_what_is_no_host_is_not_asked_about(client: DnsClient, resolver: Scripted, host: str) -> None:
    resolver.reply = answering(NS)
    assert client.reading("example.com", [host]) == DnsReading(DELEGATED, ("ns1.example.net", "ns2.example.net"))
    assert resolver.asked == ["example.com. NS"]
    assert client.reading(host) == DnsReading(NO_EVIDENCE, reason=NoEvidenceReason.BAD_REQUEST)


def test_names_are_asked_for_as_a_labels_and_absolute(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering({"NS": ["xn--mnchen-3ya.de. NS ns.example."]})
    client.reading("xn--mnchen-3ya.de", ["MÜNCHEN.de"])
    assert {asked.split()[0] for asked in resolver.asked} == {"xn--mnchen-3ya.de."}


def test_another_try_is_made_after_a_failure_and_none_after_an_answer(resolver: Scripted) -> None:
    replies = iter([answering(rcode=dns.rcode.SERVFAIL), answering(soa="com.", rcode=dns.rcode.NXDOMAIN)])
    resolver.reply = lambda query: next(replies)(query)
    assert DnsClient([resolver.resolver], tries=2).reading("example.com").outcome is NOT_DELEGATED
    assert len(resolver.asked) == 2
    resolver.reply = answering(soa="com.", rcode=dns.rcode.NXDOMAIN)
    DnsClient([resolver.resolver], tries=5).reading("example.com")
    assert len(resolver.asked) == 3


def test_the_next_resolver_is_asked_where_one_is_not_there(resolver: Scripted) -> None:
    with scripted_resolver() as gone:
        pass
    resolver.reply = answering(soa="com.", rcode=dns.rcode.NXDOMAIN)
    client = DnsClient([gone.resolver, resolver.resolver], timeout=0.5)
    assert client.reading("example.com").outcome is NOT_DELEGATED


def test_nothing_is_remembered_between_calls(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering(soa="com.", rcode=dns.rcode.NXDOMAIN)
    assert client.reading("example.com").outcome is NOT_DELEGATED
    resolver.reply = answering(NS)
    assert client.reading("example.com").outcome is DELEGATED


def test_an_answer_to_another_question_is_none(client: DnsClient, resolver: Scripted) -> None:
    def foreign(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(dns.message.make_query("other.com", "NS", id=query.id))
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    resolver.reply = foreign
    assert client.reading("example.com").reason is NoEvidenceReason.BAD_DNS_ANSWER


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.booleans(), st.integers(0, 60))
def test_whatever_bytes_arrive_nothing_is_raised(
    client: DnsClient, resolver: Scripted, junk: bytes, is_cut: bool, kept: int
) -> None:
    whole = answering(NS | {"MX": ["example.com. MX 0 ."]}, soa="com.")
    resolver.reply = lambda query: whole(query).to_wire()[:kept] + junk if is_cut else query.to_wire()[:2] + junk
    reading = client.reading("example.com")
    assert (reading.reason is None) == (reading.outcome is not NO_EVIDENCE)


def test_the_systems_resolvers_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    class System:
        nameservers = ("192.0.2.53", "2001:db8::53")

    monkeypatch.setattr("dns.resolver.Resolver", System)
    assert system_resolvers() == [Resolver("192.0.2.53", 53), Resolver("2001:db8::53", 53)]


def test_a_system_without_resolvers_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr("dns.resolver.Resolver", none)
    with pytest.raises(SetupError, match="no DNS resolver"):
        DnsClient()


@pytest.mark.parametrize("soa", [".", "other.org."])
def test_a_name_denied_by_nobody_above_it_is_no_evidence(client: DnsClient, resolver: Scripted, soa: str) -> None:
    resolver.reply = answering(soa=soa, rcode=dns.rcode.NXDOMAIN)
    assert client.reading("example.com").reason is NoEvidenceReason.BAD_DNS_ANSWER


def test_a_bare_denial_is_what_a_walled_in_resolver_says_of_everything(client: DnsClient, resolver: Scripted) -> None:
    def reply(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    resolver.reply = reply
    assert client.reading("example.com").outcome is NO_EVIDENCE


def test_more_hosts_than_are_asked_leave_it_open(client: DnsClient, resolver: Scripted) -> None:
    resolver.reply = answering(NS)
    hosts = [f"host{number}.example.com" for number in range(MAX_HOSTS + 1)]
    assert client.reading("example.com", hosts[:MAX_HOSTS]).mx is False
    assert client.reading("example.com", hosts).mx is None
