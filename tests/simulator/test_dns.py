"""What the resolver answers, over UDP and TCP."""

import socket
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import pytest

from simulator.delegations import Delegation
from simulator.lives import Life, Phase
from simulator.resolver.server import serving_dns
from simulator.world import World

from .conftest import DAY, EPOCH, Served, simulating

PROTOCOLS = pytest.mark.parametrize("ask", [dns.query.udp, dns.query.tcp], ids=["UDP", "TCP"])
ALIVE = Life.active(EPOCH + 200 * DAY)


def shown(message: dns.message.Message) -> list[str]:
    """The answer's records, without owner, TTL and class."""
    return sorted(" ".join(line.split()[3:]) for rrset in message.answer for line in rrset.to_text().splitlines())


def authority(message: dns.message.Message) -> list[str]:
    return [f"{rrset.name} {rrset.rdtype.name}" for rrset in message.authority]


@PROTOCOLS
def test_a_delegated_domain_has_its_name_servers(simulator, ask):
    message = simulator.dig("kept.com", "NS", ask)
    assert message.rcode() == dns.rcode.NOERROR
    assert shown(message) == ["NS ns1.kept.com.", "NS ns2.kept.com."]
    assert message.flags & dns.flags.RA
    assert message.flags & dns.flags.QR
    assert not message.authority


@PROTOCOLS
def test_what_is_not_delegated_does_not_exist_says_its_parent(simulator, ask):
    message = simulator.dig("gone.com", "NS", ask)
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert not message.answer
    assert authority(message) == ["com. SOA"]
    assert authority(simulator.dig("mail.some.co.uk", "MX", ask)) == ["co.uk. SOA"]
    assert authority(simulator.dig("kept.notatld", "NS", ask)) == [". SOA"]


@pytest.mark.parametrize(
    ("phase", "delegated"),
    [
        (Phase.ACTIVE, True),
        (Phase.HELD, False),
        (Phase.GRACE, True),
        (Phase.REDEMPTION, False),
        (Phase.PENDING_DELETE, False),
        (Phase.RELEASED, False),
    ],
)
def test_the_delegation_follows_the_phase(simulator, lives, phase, delegated):
    domain, _ = lives[phase]
    for name, kind in ((domain, "NS"), (domain, "MX"), (f"mail.{domain}", "MX"), (f"mail.{domain}", "A")):
        message = simulator.dig(name, kind)
        assert message.rcode() == (dns.rcode.NOERROR if delegated else dns.rcode.NXDOMAIN)
        assert bool(message.answer) == delegated


def test_it_follows_the_clock(simulator):
    assert simulator.dig("late.com", "MX").rcode() == dns.rcode.NOERROR
    simulator.clock.set(EPOCH + 40 * DAY)
    assert simulator.dig("late.com", "MX").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("host", ["kept.com", "mail.kept.com"])
def test_every_host_of_a_delegated_domain_takes_mail(simulator, host):
    assert shown(simulator.dig(host, "MX")) == ["MX 10 mx.kept.com."]
    assert shown(simulator.dig(host, "A")) == ["A 192.0.2.10"]
    assert shown(simulator.dig(host, "AAAA")) == ["AAAA 2001:db8::10"]
    assert shown(simulator.dig(host, "TXT")) == ['TXT "v=spf1 mx -all"']


def test_names_are_the_same_in_any_case(simulator):
    message = simulator.dig("MAIL.Kept.Com", "MX")
    # Compressed names end in the spelling of the question, as with real servers.
    assert shown(message) == ["MX 10 mx.Kept.Com."]


def test_where_a_name_has_other_records_the_zone_says_so(simulator):
    for name, kind in (("kept.com", "CAA"), ("mail.kept.com", "NS"), ("mail.kept.com", "SOA")):
        message = simulator.dig(name, kind)
        assert message.rcode() == dns.rcode.NOERROR
        assert not message.answer
        assert authority(message) == ["kept.com. SOA"]


@pytest.mark.parametrize("zone", [".", "com", "co.uk", "kept.com"])
def test_zones_have_a_start_and_name_servers(simulator, zone):
    assert len(shown(simulator.dig(zone, "SOA"))) == 1
    assert len(shown(simulator.dig(zone, "NS"))) == 2


@pytest.fixture(scope="module")
def furnished() -> Iterator[Served]:
    states = {
        "bare.com": Delegation.ADDRESS_ONLY,
        "null.com": Delegation.NULL_MX,
        "mute.com": Delegation.NO_MAIL,
        "off.com": Delegation.NONE,
    }
    lives = dict.fromkeys([*states, "kept.com"], ALIVE) | {"parked.com": Life.lapsing(EPOCH - DAY)}
    special = {domain: {Phase.ACTIVE: state} for domain, state in states.items()}
    hosts = {"old.kept.com": {Phase.ACTIVE: Delegation.NO_MAIL}, "gone.kept.com": {Phase.ACTIVE: Delegation.NONE}}
    parked = {"parked.com": {Phase.GRACE: Delegation.PARKED}, "old.parked.com": {Phase.GRACE: Delegation.NO_MAIL}}
    with simulating(World.of(lives, EPOCH, dns=special | hosts | parked)) as served:
        yield served


@pytest.mark.parametrize(
    ("host", "mail", "addresses"),
    [
        ("kept.com", ["MX 10 mx.kept.com."], ["A 192.0.2.10"]),
        ("bare.com", [], ["A 192.0.2.10"]),
        ("mail.bare.com", [], ["A 192.0.2.10"]),
        ("null.com", ["MX 0 ."], ["A 192.0.2.10"]),
        ("mute.com", [], []),
        ("old.kept.com", [], []),
        ("parked.com", [], ["A 198.51.100.80"]),
        ("old.parked.com", [], ["A 198.51.100.80"]),
    ],
)
def test_mail_comes_in_all_kinds(furnished, host, mail, addresses):
    message = furnished.dig(host, "MX")
    assert message.rcode() == dns.rcode.NOERROR
    assert shown(message) == mail
    assert shown(furnished.dig(host, "A")) == addresses


def test_a_parked_domain_is_delegated_to_the_parking_service(furnished):
    assert shown(furnished.dig("parked.com", "NS")) == ["NS ns1.sedoparking.com.", "NS ns2.sedoparking.com."]


@pytest.mark.parametrize(("name", "zone"), [("off.com", "com."), ("gone.kept.com", "kept.com.")])
def test_domains_and_hosts_may_be_missing(furnished, name, zone):
    message = furnished.dig(name, "MX")
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert authority(message) == [f"{zone} SOA"]


def query(**flags: int) -> dns.message.Message:
    return dns.message.make_query("kept.com", "NS", **flags)


def of_opcode(opcode: int) -> dns.message.Message:
    made = query()
    made.set_opcode(opcode)
    return made


def of_two_questions() -> dns.message.Message:
    made = query()
    made.question += dns.message.make_query("late.com", "NS").question
    return made


@pytest.mark.parametrize(
    ("message", "rcode"),
    [
        (query(flags=0), dns.rcode.REFUSED),
        (dns.message.make_query("kept.com", "NS", dns.rdataclass.CH), dns.rcode.REFUSED),
        (of_opcode(dns.opcode.STATUS), dns.rcode.NOTIMP),
        (of_two_questions(), dns.rcode.FORMERR),
    ],
    ids=["no recursion", "not the Internet", "no query", "two questions"],
)
def test_what_is_no_question_to_a_resolver_is_refused(simulator, message, rcode):
    host, port = simulator.dns
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(5)
        caller.sendto(message.to_wire(), (host, port))
        answer = dns.message.from_wire(caller.recv(4096))
    assert answer.id == message.id
    assert answer.rcode() == rcode
    assert not answer.answer


def test_garbage_gets_format_error_or_silence_and_breaks_nothing(simulator, capsys):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(5)
        caller.sendto(b"\x00", simulator.dns)
        caller.sendto(dns.message.make_response(query()).to_wire(), simulator.dns)
        caller.sendto(query().to_wire()[:20], simulator.dns)
        answer = caller.recv(4096)
        assert answer[:2] != b"\x00"
        assert answer[3] & 0xF == dns.rcode.FORMERR
    assert simulator.calls()["dns"]["by_rcode"] == {"FORMERR": 1}
    assert capsys.readouterr().err == ""  # where socketserver would tell of an exception
    assert simulator.dig("kept.com", "NS").answer


def test_it_answers_inside_and_is_gone_outside(furnished, world):
    with simulating(world) as served:
        assert served.dig("kept.com", "NS").answer
    with pytest.raises(OSError, match="refused"):
        served.dig("kept.com", "NS", dns.query.tcp)


def test_a_taken_port_is_an_error(simulator):
    again = serving_dns(None, port=simulator.dns[1])
    with pytest.raises(OSError, match="in use"):
        again.__enter__()
