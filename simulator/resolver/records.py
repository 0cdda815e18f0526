"""What DNS holds of a name at an instant: the records, or that there is no such name.

Every host below a delegated domain exists and has the mail of its domain, unless the world says otherwise. The
addresses are those that RFC 5737 and RFC 3849 set aside for documentation.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset, from_text

from simulator.delegations import PARKING_NAME_SERVERS, Delegation
from simulator.world import World
from simulator.zones import registrable_part, zone_of

_TTL = 300
_ADDRESSES = {RdataType.A: ["192.0.2.10"], RdataType.AAAA: ["2001:db8::10"]}
_PARKING_ADDRESSES = {RdataType.A: ["198.51.100.80"]}

# What a host has in each state, by type, as master files write it. `{domain}` is the domain it lies under.
_OF_HOST: Mapping[Delegation, Mapping[RdataType, Sequence[str]]] = {
    Delegation.MAIL_EXCHANGE: {**_ADDRESSES, RdataType.MX: ["10 mx.{domain}."], RdataType.TXT: ['"v=spf1 mx -all"']},
    Delegation.ADDRESS_ONLY: _ADDRESSES,
    Delegation.NULL_MX: {**_ADDRESSES, RdataType.MX: ["0 ."], RdataType.TXT: ['"v=spf1 -all"']},
    Delegation.NO_MAIL: {},
    Delegation.PARKED: _PARKING_ADDRESSES,
}


class Found(NamedTuple):
    """The answer to a question, and where there is none the SOA of the zone that says so."""

    rcode: Rcode
    answer: RRset | None = None
    authority: RRset | None = None


def look_up(world: World, name: str, kind: RdataType, instant: datetime) -> Found:
    """The records of a kind at a name: lower case, without the final dot, empty for the root."""
    zone = zone_of(name) if name else ""
    if zone is None:
        return _no_such_name("")
    if zone == name:
        return _found(name, zone, kind, _at_apex(zone, [f"a.nic.{zone}".rstrip("."), f"b.nic.{zone}".rstrip(".")]))
    domain = registrable_part(name) or name
    state = world.delegation_at(domain, instant)
    if state is Delegation.NONE:
        return _no_such_name(zone)
    if name == domain:
        parked = state is Delegation.PARKED
        servers = PARKING_NAME_SERVERS if parked else [f"ns1.{domain}", f"ns2.{domain}"]
        return _found(name, domain, kind, {**_OF_HOST[state], **_at_apex(domain, servers)})
    of_host = world.host_at(name, domain, instant)
    return _no_such_name(domain) if of_host is Delegation.NONE else _found(name, domain, kind, _OF_HOST[of_host])


def _at_apex(zone: str, servers: Sequence[str]) -> Mapping[RdataType, Sequence[str]]:
    """What the apex of a zone always has."""
    return {RdataType.NS: [f"{server}." for server in servers], RdataType.SOA: [_soa_data(zone)]}


def _found(name: str, zone: str, kind: RdataType, records: Mapping[RdataType, Sequence[str]]) -> Found:
    """The records of that kind, or, where there are none, word from the zone that the name has others."""
    if kind not in records:
        return Found(Rcode.NOERROR, authority=_soa(zone))
    texts = [text.format(domain=zone) for text in records[kind]]
    return Found(Rcode.NOERROR, answer=from_text(f"{name}.", _TTL, RdataClass.IN, kind, *texts))


def _no_such_name(zone: str) -> Found:
    return Found(Rcode.NXDOMAIN, authority=_soa(zone))


def _soa(zone: str) -> RRset:
    return from_text(f"{zone}.", _TTL, RdataClass.IN, RdataType.SOA, _soa_data(zone))


def _soa_data(zone: str) -> str:
    return f"ns1.{zone}".rstrip(".") + f". hostmaster.{zone}".rstrip(".") + ". 1 7200 900 1209600 300"
