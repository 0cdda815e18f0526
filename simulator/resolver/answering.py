"""The resolver: a DNS message in, a DNS message out."""

import threading
from typing import Any

from dns.exception import DNSException
from dns.flags import Flag
from dns.message import Message, QueryMessage, ShortHeader, from_wire, make_query, make_response
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass

from simulator.clock import Clock
from simulator.faults import FaultKind, FaultRule, Faults, Service
from simulator.resolver.calls import DnsCalls
from simulator.resolver.records import Found, look_up
from simulator.world import World
from simulator.zones import registrable_part


class Resolver:
    """Answers recursive questions about the world at the clock's instant. Safe to share between threads.

    What is no proper query gets the RCODE that RFC 1035 has for it, what is no DNS message at all no answer.
    """

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self._world = world
        self._clock = clock
        self._faults = faults
        self._lock = threading.Lock()
        self._calls = DnsCalls()

    def answer(self, wire: bytes, *, over_tcp: bool) -> bytes | None:
        """The response to a message, None where there is none."""
        with self._lock:
            self._calls.arrived()
            response = self._respond(wire, over_tcp)
            if response is None:
                return None
            self._calls.answered(response.rcode())
            return response.to_wire()

    def calls(self) -> dict[str, Any]:
        """What was asked since the counts were forgotten, as the control API shows it."""
        with self._lock:
            return self._calls.as_json()

    def forget_calls(self) -> None:
        """Counts from nought."""
        with self._lock:
            self._calls = DnsCalls()

    def _respond(self, wire: bytes, over_tcp: bool) -> Message | None:
        try:
            query = from_wire(wire)
        except ShortHeader:
            return None
        except DNSException:
            return _form_error(wire)
        if query.flags & Flag.QR:
            return None
        if (complaint := _complaint(query)) is not None:
            return _response(query, Found(complaint))
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        name = "" if name == "." else name
        domain = registrable_part(name) or name
        fault = self._faults.striking(Service.DNS, domain, self._calls.asked_about(domain))
        found = look_up(self._world, name, query.question[0].rdtype, self._clock.now())
        return _response(query, found) if fault is None else _faulty(query, found, fault, over_tcp)


def _complaint(query: Message) -> Rcode | None:
    """What is wrong with a well-formed message, if anything."""
    if query.opcode() != Opcode.QUERY:
        return Rcode.NOTIMP
    if len(query.question) != 1 or query.answer or query.authority:
        return Rcode.FORMERR
    if query.question[0].rdclass != RdataClass.IN or not query.flags & Flag.RD:
        return Rcode.REFUSED  # a resolver is asked for recursion, and about the Internet
    return None


def _response(query: Message, found: Found) -> Message:
    response = make_response(query, recursion_available=True)
    response.set_rcode(found.rcode)
    response.answer = [found.answer] if found.answer else []
    response.authority = [found.authority] if found.authority else []
    return response


def _faulty(query: Message, found: Found, fault: FaultRule, over_tcp: bool) -> Message | None:
    match fault.kind:
        case FaultKind.TIMEOUT:
            return None
        case FaultKind.SERVFAIL:
            return _response(query, Found(Rcode.SERVFAIL))
        case FaultKind.REFUSED:
            return _response(query, Found(Rcode.REFUSED))
        case FaultKind.NXDOMAIN:
            return _response(query, Found(Rcode.NXDOMAIN))
        case FaultKind.OTHER_DOMAIN:
            return _about_another(query, found)
        case FaultKind.TRUNCATED if not over_tcp:
            truncated = _response(query, Found(found.rcode))
            truncated.flags |= Flag.TC
            return truncated
    return _response(query, found)


def _about_another(query: Message, found: Found) -> Message:
    """The answer to a question that was not asked."""
    return _response(make_query("another-domain.com", query.question[0].rdtype, id=query.id), found)


def _form_error(wire: bytes) -> Message:
    """The answer to a message of which not more than the header is understood."""
    response = QueryMessage(id=int.from_bytes(wire[:2]))
    response.flags = Flag.QR | Flag.RA
    response.set_rcode(Rcode.FORMERR)
    return response
