"""What the outside shows of a domain through a year, as the simulator's services would answer, but without HTTP."""

from dataclasses import dataclass
from datetime import datetime

from simulator.delegations import Delegation, Delegations, delegation
from simulator.lives import EventKind, Phase, auto_renew_period_end
from simulator.rdap.domain_object import Registration, shown_by
from simulator.rdap.registries import REGISTRIES, Registry
from simulator.status_flags import USUAL_FLAGS
from simulator.year.domains import YearDomain

_SERVERS = {tld: registry for registry in REGISTRIES for tld in (*registry.tlds, *registry.unlisted_tlds)}
_LISTED = {tld for registry in REGISTRIES for tld in registry.tlds}


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a domain in good weather, from `since` until the next sight.

    `registry_status` holds the RFC 8056 values that the registry's server shows, None where it knows no such domain
    (404); it and the dates mean nothing under a TLD without a server, where they are None. The expiry date is the
    registry's: a year ahead in auto-renew grace where it renews by itself.
    """

    since: datetime
    phase: Phase
    flags: str
    registry_status: tuple[str, ...] | None
    registered_at: datetime | None
    expires_at: datetime | None
    delegation: Delegation


def registry_answers(tld: str) -> bool:
    """Whether IANA's bootstrap file names an RDAP server for a top-level domain."""
    return tld in _LISTED


def sights(domain: YearDomain) -> tuple[Sight, ...]:
    """What is seen of a domain, oldest first, from its registration on: a new sight wherever something changes."""
    registry = _SERVERS.get(domain.name.rpartition(".")[2])
    instants = {event.at for event in domain.life.events}
    for event in domain.life.events:
        if event.kind is EventKind.AUTO_RENEWED:
            instants.add(auto_renew_period_end(event))
    if domain.mail_lost_at is not None:
        instants.add(domain.mail_lost_at)
    return tuple(_sight(domain, registry, instant) for instant in sorted(instants))


def _sight(domain: YearDomain, registry: Registry | None, instant: datetime) -> Sight:
    phase = domain.life.phase_at(instant)
    flags = domain.quirks.get(phase, USUAL_FLAGS[phase])
    held = delegation(phase, flags, _delegations(domain, instant))
    if registry is None or phase is Phase.RELEASED:
        return Sight(instant, phase, flags, None, None, None, held)
    status, registered_at, expires_at = shown_by(registry, Registration(domain.name, domain.life, held, instant))
    return Sight(instant, phase, flags, tuple(status), registered_at, expires_at, held)


def _delegations(domain: YearDomain, instant: datetime) -> Delegations:
    if domain.mail_lost_at is None or instant < domain.mail_lost_at:
        return domain.delegations
    return {**domain.delegations, Phase.ACTIVE: Delegation.NO_MAIL}
