"""RFC 9083's domain object, as a registry and as a registrar write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import idna

from simulator.delegations import PARKING_NAME_SERVERS, Delegation
from simulator.draw import Draw
from simulator.lives import YEAR, Life, Phase
from simulator.rdap.registries import DateStyle, Registry
from simulator.rdap.statuses import registrar_status, registry_status

MEDIA_TYPE = "application/rdap+json"
CONFORMANCE = ["rdap_level_0"]

# The identifiers are those that IANA keeps for tests.
_REGISTRARS = (("Names by the Dozen, Ltd.", "9995"), ("Perpetual Registrations GmbH", "9996"))


@dataclass(frozen=True)
class Registration:
    """A domain (A-labels) that is registered at an instant, and how it then stands."""

    domain: str
    life: Life
    delegation: Delegation
    now: datetime

    @property
    def phase(self) -> Phase:
        """Where it stands in its life."""
        return self.life.phase_at(self.now)

    @property
    def name_servers(self) -> tuple[str, ...]:
        """To whom it is delegated."""
        match self.delegation:
            case Delegation.NONE:
                return ()
            case Delegation.PARKED:
                return PARKING_NAME_SERVERS
        return (f"ns1.{self.domain}", f"ns2.{self.domain}")


class Shown(NamedTuple):
    """What a registry shows of where a domain stands: RFC 8056 values, and the dates that it gives."""

    status: list[str]
    registered_at: datetime | None
    expires_at: datetime | None


def shown_by(registry: Registry, held: Registration) -> Shown:
    """What a registry, with its habits, shows of a registered domain."""
    phase, expires = held.phase, held.life.expires_at(held.now)
    if expires and phase is Phase.GRACE and registry.renews_by_itself:
        expires += YEAR
    is_auto_renewed = held.life.is_in_auto_renew_period(held.now)
    return Shown(
        registry_status(registry, phase, held.delegation, is_auto_renewed=is_auto_renewed),
        held.life.registered_at(held.now) if registry.shows_registration else None,
        expires if registry.shows_expiration else None,
    )


def registry_record(registry: Registry, held: Registration, own_url: str, registrar_url: str) -> dict[str, Any]:
    """The registry's record, with its habits. A link to the registrar's only where the registry gives one."""
    shown = shown_by(registry, held)
    dates = {"registration": shown.registered_at, "expiration": shown.expires_at}
    related = [_link(own_url, "related", registrar_url)] if registry.links_registrar else []
    return _record(
        held,
        shown.status,
        _events(held, dates, registry.dates),
        [_link(own_url, "self", own_url), *related],
        upper_case=registry.upper_case,
    )


def registrar_record(held: Registration, own_url: str) -> dict[str, Any]:
    """The registrar's record: it knows until when the owner paid, and nothing of the phases after that."""
    dates = {"registration": held.life.registered_at(held.now), "expiration": held.life.expires_at(held.now)}
    return _record(
        held,
        registrar_status(held.phase),
        _events(held, dates, DateStyle.ZULU),
        [_link(own_url, "self", own_url)],
        upper_case=False,
    )


def _record(
    held: Registration, status: list[str], events: list[Any], links: list[Any], *, upper_case: bool
) -> dict[str, Any]:
    ldh_name = held.domain.upper() if upper_case else held.domain
    record = {
        "objectClassName": "domain",
        "rdapConformance": CONFORMANCE,
        "ldhName": ldh_name,
        "status": status,
        "events": events,
        "entities": [_registrar(held.domain)],
        "nameservers": [
            {"objectClassName": "nameserver", "ldhName": server.upper() if upper_case else server}
            for server in held.name_servers
        ],
        "secureDNS": {"delegationSigned": False},
        "links": links,
    }
    if "xn--" in held.domain:
        record["unicodeName"] = idna.decode(held.domain)
    return record


def _events(held: Registration, dates: Mapping[str, datetime | None], style: DateStyle) -> list[dict[str, str]]:
    changed = max(event.at for event in held.life.events if event.at <= held.now)
    dates = {**dates, "last changed": changed, "last update of RDAP database": held.now}
    return [{"eventAction": action, "eventDate": style.write(date)} for action, date in dates.items() if date]


def _registrar(domain: str) -> dict[str, Any]:
    name, identifier = Draw("registrar", domain).pick(_REGISTRARS)
    return {
        "objectClassName": "entity",
        "handle": identifier,
        "roles": ["registrar"],
        "publicIds": [{"type": "IANA Registrar ID", "identifier": identifier}],
        "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", name]]],
    }


def _link(value: str, relation: str, href: str) -> dict[str, str]:
    return {"value": value, "rel": relation, "href": href, "type": MEDIA_TYPE}
