"""What DNS says of a domain: whether its parent delegates it, and whether its hosts take mail.

The questions go to a recursive resolver. Whether a domain is delegated is its parent's to say, and this is how the
parent is heard through a resolver:

- NXDOMAIN for a registrable domain is the parent's own statement when the SOA record that comes with it is of a zone
  above the domain, below the root (RFC 2308, section 2.1); and nothing is below a name that does not exist (RFC
  8020). A bare NXDOMAIN is what a walled-in resolver says of everything: no evidence, for a host as for the domain.
- NOERROR without NS records (NODATA) is the parent's statement when the SOA record that comes with it is of a zone
  above the domain (RFC 2308, section 2.2). The domain's own SOA is the child's, which only a delegation makes heard.
- NOERROR with NS records, or with a CNAME record at the domain, comes from servers that the parent delegates to.
- SERVFAIL says that no server could be heard: a lame delegation, a broken signature, a fault of the resolver. It says
  nothing about the parent and is no evidence. So are a refusal and silence.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.resolver
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX

from lapsewatch.core.domains import a_labels
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import Denial, DnsOutcome, DnsReading, NoEvidenceReason

UDP_PAYLOAD = 1232
"""Octets that fit one packet on every path (DNS flag day 2020); a longer answer comes over TCP."""

T = TypeVar("T")
MAX_HOSTS = 8
MAX_NAMESERVERS = 64


@dataclass(frozen=True, slots=True)
class Resolver:
    """A recursive resolver: an IP address and a port."""

    address: str
    port: int = 53


@dataclass(frozen=True, slots=True)
class _Silence:
    """A question that DNS did not answer, and why."""

    reason: NoEvidenceReason


def system_resolvers() -> list[Resolver]:
    """Return the resolvers that the system uses. Raises SetupError where it names none."""
    try:
        addresses = dns.resolver.Resolver().nameservers
    except dns.exception.DNSException:
        raise SetupError("the system names no DNS resolver: configure one") from None
    return [Resolver(str(address)) for address in addresses]


class DnsClient:
    """Asks recursive resolvers, absolute names only; keeps no answer. `timeout` is in seconds for one try."""

    name = "dns"

    def __init__(self, resolvers: Sequence[Resolver] | None = None, *, timeout: float = 2.0, tries: int = 2) -> None:
        self._resolvers = list(resolvers) if resolvers else system_resolvers()
        self._timeout = timeout
        self._tries = tries

    def reading(self, domain: str, hosts: Iterable[str] = ()) -> DnsReading:
        """Read a registrable domain (A-labels) and the mail hosts under it (the domain itself where none is given).

        Never raises for anything that DNS answers.
        """
        name = _absolute(domain)
        if name is None:
            return DnsReading(DnsOutcome.NO_EVIDENCE, reason=NoEvidenceReason.BAD_REQUEST)
        answer = self._ask(name, RdataType.NS)
        if isinstance(answer, _Silence):
            return DnsReading(DnsOutcome.NO_EVIDENCE, reason=answer.reason)
        if _exists(answer, name):
            outcome, nameservers, denial = DnsOutcome.DELEGATED, _nameservers(answer, name), None
        elif answer.rcode() == dns.rcode.NXDOMAIN:
            return DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False, denial=Denial.NXDOMAIN)
        else:
            # Without a delegation the parent itself may still hold the domain's MX and address, as .de does.
            outcome, nameservers, denial = DnsOutcome.NOT_DELEGATED, (), Denial.NODATA
        given = [*dict.fromkeys(hosts)]
        names = [_absolute(host) for host in given[:MAX_HOSTS]] or [name]
        # Hosts that are not asked about leave it open.
        names += [None] * (len(given) > MAX_HOSTS)
        mx, address = _any(names, self._has_mx), _any(names, self._has_address)
        # No MX is half an answer while nobody knows of an address: mail may still arrive there.
        return DnsReading(outcome, nameservers, None if mx is False and address is None else mx, address, denial)

    def _has_mx(self, host: Name) -> bool | None:
        """Tell whether the host has an MX record other than the null MX `.`, which refuses mail (RFC 7505)."""
        answer = self._ask(host, RdataType.MX)
        if isinstance(answer, _Silence):
            return None
        mail_servers = [record for record in _records(answer, RdataType.MX) if isinstance(record, MX)]
        return any(mail_server.exchange != dns.name.root for mail_server in mail_servers)

    def _has_address(self, host: Name) -> bool | None:
        return _any([RdataType.A, RdataType.AAAA], lambda kind: self._has(host, kind))

    def _has(self, host: Name, kind: RdataType) -> bool | None:
        answer = self._ask(host, kind)
        return None if isinstance(answer, _Silence) else bool(_records(answer, kind))

    def _ask(self, name: Name, kind: RdataType) -> dns.message.Message | _Silence:
        """Ask until somebody answers, each try the next resolver. An answer is NOERROR or NXDOMAIN."""
        answer: dns.message.Message | _Silence = _Silence(NoEvidenceReason.UNREACHABLE)
        for attempt in range(self._tries):
            answer = self._ask_once(self._resolvers[attempt % len(self._resolvers)], name, kind)
            if not isinstance(answer, _Silence):
                break
        return answer

    def _ask_once(self, resolver: Resolver, name: Name, kind: RdataType) -> dns.message.Message | _Silence:
        question = dns.message.make_query(name, kind, payload=UDP_PAYLOAD)
        try:
            answer, _ = dns.query.udp_with_fallback(
                question, resolver.address, self._timeout, resolver.port, ignore_unexpected=True
            )
        except dns.exception.Timeout:
            return _Silence(NoEvidenceReason.TIMEOUT)
        except dns.exception.DNSException:
            return _Silence(NoEvidenceReason.BAD_DNS_ANSWER)
        except (OSError, EOFError):
            return _Silence(NoEvidenceReason.UNREACHABLE)
        if answer.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            is_backed = bool(answer.answer) or _speaks_from_above(answer, name)
            return answer if is_backed else _Silence(NoEvidenceReason.BAD_DNS_ANSWER)
        if answer.rcode() in {dns.rcode.SERVFAIL, dns.rcode.REFUSED}:
            return _Silence(NoEvidenceReason.SERVFAIL)
        return _Silence(NoEvidenceReason.BAD_DNS_ANSWER)


def _absolute(host: str) -> Name | None:
    """Return the host as an absolute name; None where it is none."""
    labels = a_labels(host)
    if labels is None:
        return None
    try:
        return dns.name.from_text(labels, origin=dns.name.root)
    except dns.exception.DNSException:
        return None


def _exists(answer: dns.message.Message, name: Name) -> bool:
    """Tell whether servers of the domain's own spoke: records at the name, or its own SOA."""
    own = {RdataType.NS, RdataType.CNAME, RdataType.DNAME}
    if any(records.name == name and records.rdtype in own for records in answer.answer):
        return True
    return any(records.name == name and records.rdtype == RdataType.SOA for records in answer.authority)


def _speaks_from_above(answer: dns.message.Message, name: Name) -> bool:
    zones = [records.name for records in answer.authority if records.rdtype == RdataType.SOA]
    return any(name.is_subdomain(zone) and zone != dns.name.root for zone in zones)


def _nameservers(answer: dns.message.Message, name: Name) -> tuple[str, ...]:
    own = [records for records in answer.answer if records.name == name and records.rdtype == RdataType.NS]
    names = {record.target.to_text(omit_final_dot=True).lower() for records in own for record in records}
    return tuple(sorted(names)[:MAX_NAMESERVERS])


def _records(answer: dns.message.Message, kind: RdataType) -> list[dns.rdata.Rdata]:
    """Return the records of that kind, be they at the name itself or where its CNAME leads (RFC 5321, section 5.1)."""
    return [record for records in answer.answer if records.rdtype == kind for record in records]


def _any(asked: Iterable[T | None], ask: Callable[[T], bool | None]) -> bool | None:
    """Ask one after another until one says yes: True then, None where one did not say, False where all said no."""
    unsaid = False
    for item in asked:
        said = None if item is None else ask(item)
        if said:
            return True
        unsaid = unsaid or said is None
    return None if unsaid else False
