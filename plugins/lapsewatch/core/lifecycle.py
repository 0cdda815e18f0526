"""Where a domain stands in its life, and which witnesses say so.

The phases follow the life of a gTLD registration (ICANN ERRP; RFC 3915). Three rules hold everywhere: the right-most
flag leads, so `undelegated active` is a registered domain; the registry's RDAP status outranks the flags, because the
registry keeps the book; a date alone is never proof, since registries move it by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from lapsewatch.core.evidence import DnsOutcome, DnsReading, Flag, RdapOutcome, RdapReading
from lapsewatch.core.parking import is_parked


class Phase(StrEnum):
    """A stage of a registration, from the point of view of somebody who trusts an address under it."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REDEMPTION = "redemption"
    PENDING_DELETE = "pending_delete"
    RELEASED = "released"
    REREGISTERED = "reregistered"
    UNDELEGATED = "undelegated"
    HELD = "held"
    RESERVED = "reserved"
    UNKNOWN = "unknown"


ADVERSE = frozenset({Phase.REDEMPTION, Phase.PENDING_DELETE, Phase.RELEASED})
"""Phases in which the owner has lost the domain, or all but a paid way back."""


REGISTRYS_TO_TELL = ADVERSE | {Phase.EXPIRED, Phase.HELD}
"""Phases that may hold while the flags show a plainly registered domain: only the registry can say they are over."""


class Witness(StrEnum):
    """Who can say something about a domain: the status API's flags, the registry, DNS, or what was read before."""

    FLAGS = "flags"
    RDAP = "rdap"
    DNS = "dns"
    PREVIOUS = "previous"


PHASE_OF_LEADING_FLAG: dict[Flag, Phase] = {
    Flag.ACTIVE: Phase.ACTIVE,
    # Registered and on offer: whoever sells it still owns it.
    Flag.PARKED: Phase.ACTIVE,
    Flag.MARKETED: Phase.ACTIVE,
    Flag.PRICED: Phase.ACTIVE,
    Flag.TRANSFERABLE: Phase.ACTIVE,
    Flag.EXPIRING: Phase.REDEMPTION,
    Flag.DELETING: Phase.PENDING_DELETE,
    Flag.INACTIVE: Phase.RELEASED,
    # Not in DNS says nothing about the registration; the API also answers so when a registry is silent.
    Flag.UNDELEGATED: Phase.UNDELEGATED,
    # Kept back by the registry or somebody's right, or on sale by the registry at its own price.
    Flag.CLAIMED: Phase.RESERVED,
    Flag.RESERVED: Phase.RESERVED,
    Flag.DPML: Phase.RESERVED,
    Flag.DISALLOWED: Phase.RESERVED,
    Flag.PREMIUM: Phase.RESERVED,
    # No answer about a registrable domain.
    Flag.UNKNOWN: Phase.UNKNOWN,
    Flag.PENDING: Phase.UNKNOWN,
    Flag.INVALID: Phase.UNKNOWN,
    Flag.SUFFIX: Phase.UNKNOWN,
    Flag.ZONE: Phase.UNKNOWN,
    Flag.TLD: Phase.UNKNOWN,
}

PHASE_OF_RDAP_STATUS: dict[str, Phase] = {
    # RFC 8056 values, in the order in which they lead: a domain in redemption often shows "pending delete" too, and
    # registrars put a hold on domains in grace.
    "redemption period": Phase.REDEMPTION,
    "pending restore": Phase.REDEMPTION,
    "pending delete": Phase.PENDING_DELETE,
    "auto renew period": Phase.EXPIRED,
    "reserved": Phase.RESERVED,
    "client hold": Phase.HELD,
    "server hold": Phase.HELD,
}
"""Any other status, and none at all, is that of a registered domain."""

DATE_PRECISION = timedelta(days=1)
"""Some registries give the day of a registration only."""

NEAR = timedelta(days=31)
"""So long before its date a domain's mail is looked at, to know later whether it went with the date."""

MAIL_GONE_FOR = timedelta(days=35)
"""How long mail must have been gone in grace. Registrars' auctions end then, and about a week later the winner has the
domain; most owners who pay late have done so, and most holds are over (docs/protection.md)."""

MAIL_REMEMBERED = timedelta(days=80)
"""How long it counts that mail was seen: from a month before the date to the end of grace (45 days, ICANN ERRP)."""

RESTORING = "pending restore"
"""The owner has paid for the way back out of redemption, and the registry waits for the report (RFC 3915)."""


@dataclass(frozen=True, slots=True)
class History:
    """What was known of a domain before it was asked about: all of it may be missing.

    `phase` is the phase read before, `adverse_since` when the readings that speak of a lapse began, `lapsed_at` the
    lapse that is still open, `registered_at` the registration that the registry showed, `registry_seen_at` when it
    did, `expires_at` the date that it gave, `expired_since` when it was first heard that this date has passed,
    `mail_seen_at` when DNS last said that mail can reach the domain.
    """

    phase: Phase | None = None
    adverse_since: datetime | None = None
    lapsed_at: datetime | None = None
    registered_at: datetime | None = None
    registry_seen_at: datetime | None = None
    expires_at: datetime | None = None
    expired_since: datetime | None = None
    mail_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a decision rests on: what each witness says now, what was known before, and the address if any.

    `verified_at` is when the address was last verified; None where nobody knows, which is never used against it.
    """

    now: datetime
    flags: tuple[Flag, ...] = ()
    rdap: RdapReading | None = None
    dns: DnsReading | None = None
    previous: History = History()
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A phase, with the witnesses that say so, in the order of `Witness`."""

    phase: Phase
    witnesses: tuple[Witness, ...] = ()


def phase_of(flags: Sequence[Flag]) -> Phase:
    """Return the phase that the flags tell of; UNKNOWN, which is no evidence, where there are none."""
    return PHASE_OF_LEADING_FLAG[flags[-1]] if flags else Phase.UNKNOWN


def phase_of_record(rdap: RdapReading | None) -> Phase:
    """Return the phase that the registry's record tells of; UNKNOWN where it gave no evidence."""
    if rdap is None or rdap.outcome is RdapOutcome.NO_EVIDENCE:
        return Phase.UNKNOWN
    return Phase.RELEASED if rdap.outcome is RdapOutcome.NOT_FOUND else _phase_of_status(rdap.status)


# A registry shows few combinations, and each decision looks several times.
@lru_cache(maxsize=1024)
def _phase_of_status(status: tuple[str, ...]) -> Phase:
    return next((phase for leading, phase in PHASE_OF_RDAP_STATUS.items() if leading in status), Phase.ACTIVE)


def standing(case: Case) -> Standing:
    """Return the phase of a domain and who says so."""
    if changed := _change_of_hands(case):
        return changed
    if awaits_registry(case):
        return Standing(case.previous.phase or Phase.UNKNOWN, (Witness.PREVIOUS,))
    record, flags = phase_of_record(case.rdap), phase_of(case.flags)
    phase: Phase
    if record is not Phase.UNKNOWN:
        phase = record
    elif flags is not Phase.UNKNOWN:
        phase = flags
    else:
        phase = _phase_of_delegation(case.dns)
    witnesses = []
    if _agrees(flags, phase):
        witnesses.append(Witness.FLAGS)
    if _agrees(record, phase):
        witnesses.append(Witness.RDAP)
    if _dns_agrees(case.dns, phase):
        witnesses.append(Witness.DNS)
    return Standing(phase, tuple(witnesses))


def awaits_registry(case: Case) -> bool:
    """Tell whether the registry, which has spoken of this domain before, is silent now that it is doubtful.

    What only it can tell, that a registration has expired, is held, or is in redemption without the flags saying so,
    is not over because it does not answer.
    """
    previous = case.previous
    return (
        previous.registry_seen_at is not None
        and previous.phase in REGISTRYS_TO_TELL
        and phase_of_record(case.rdap) is Phase.UNKNOWN
        and phase_of(case.flags) is Phase.ACTIVE
    )


def has_come_to_its_date(case: Case) -> bool:
    """Tell whether the expiry date that the registry gave has come since, and it has not said what became of it."""
    expires_at, seen_at = case.previous.expires_at, case.previous.registry_seen_at
    is_silent = phase_of_record(case.rdap) is Phase.UNKNOWN
    return is_silent and expires_at is not None and seen_at is not None and seen_at < expires_at <= case.now


def is_near_its_date(case: Case) -> bool:
    """Tell whether the expiry date that the registry gives is about to come."""
    rdap = case.rdap
    if rdap is None or rdap.outcome is not RdapOutcome.FOUND or rdap.expires_at is None:
        return False
    return case.now <= rdap.expires_at <= case.now + NEAR


def is_restoring(rdap: RdapReading | None) -> bool:
    """Tell whether the registry says that a restore has been paid for."""
    return rdap is not None and rdap.outcome is RdapOutcome.FOUND and RESTORING in rdap.status


def registered_at(case: Case) -> datetime | None:
    """Return when the registration that the registry shows now was made; a date in the future is none."""
    rdap = case.rdap
    if rdap is None or rdap.outcome is not RdapOutcome.FOUND or rdap.registered_at is None:
        return None
    return rdap.registered_at if rdap.registered_at <= case.now else None


def known_registration(case: Case) -> datetime | None:
    """Return when the latest registration that anybody knows of was made, as the registry says or said."""
    made = registered_at(case) or case.previous.registered_at
    return made if made is not None and made <= case.now else None


def is_registered_since(case: Case) -> bool:
    """Tell whether a registration is strictly later than the address's verification."""
    made = known_registration(case)
    return made is not None and case.verified_at is not None and made > case.verified_at


def is_delegated(dns: DnsReading | None) -> bool:
    """Tell whether DNS says that the domain is delegated."""
    return dns is not None and dns.outcome is DnsOutcome.DELEGATED


def is_undelegated(dns: DnsReading | None) -> bool:
    """Tell whether DNS says that the domain is not delegated; a resolver that failed has not said so."""
    return dns is not None and dns.outcome is DnsOutcome.NOT_DELEGATED


def is_mail_gone(dns: DnsReading | None) -> bool:
    """Tell whether the owner can no longer receive mail: no delegation, no mail host, or a parking service."""
    if dns is None or not is_delegated(dns):
        return is_undelegated(dns)
    # Without an MX, mail goes to the host's own address (RFC 5321, section 5.1).
    return (dns.mx is False and dns.address is not True) or is_parked(dns.nameservers)


def has_lost_its_mail(case: Case) -> bool:
    """Tell whether the domain has been known to be expired for weeks, and mail, which came before, has not since.

    Nobody knows why mail does not come where it long has not; and what nobody looked at has not been gone.
    """
    seen_at, expired_since = case.previous.mail_seen_at, case.previous.expired_since
    if seen_at is None or expired_since is None or not is_mail_gone(case.dns):
        return False
    return case.now - max(seen_at, expired_since) >= MAIL_GONE_FOR and case.now - seen_at <= MAIL_REMEMBERED


def mail_seen_at(case: Case) -> datetime | None:
    """Return when DNS last said that mail can reach the domain, or a host under it that addresses are on.

    Mail that begins in grace is none of the owner's: registrars change DNS then, and change it back when they are paid.
    """
    dns, seen_at = case.dns, case.previous.mail_seen_at
    if seen_at is None and phase_of_record(case.rdap) is Phase.EXPIRED:
        return None
    takes_mail = dns is not None and is_delegated(dns) and (dns.mx or dns.address) and not is_mail_gone(dns)
    return case.now if takes_mail else seen_at


def _change_of_hands(case: Case) -> Standing | None:
    """Return the standing of a domain that was registered anew since its address was verified, or since it lapsed."""
    made = registered_at(case)
    if made is None:
        return _remembered_change(case)
    previous = case.previous
    if case.verified_at is not None and made > case.verified_at and phase_of_record(case.rdap) not in ADVERSE:
        return Standing(Phase.REREGISTERED, (Witness.RDAP,))
    seen_before = (
        _is_later_than_lapse(made, previous)
        or (previous.adverse_since is not None and made > previous.adverse_since)
        # Later than the day on which the registry still showed another registration: we have missed the lapse itself.
        or _is_another_registration(previous, made)
    )
    if seen_before and not _lapses_by_record(case):
        return Standing(Phase.REREGISTERED, (Witness.RDAP, Witness.PREVIOUS))
    return None


def _lapses_by_record(case: Case) -> bool:
    """Tell whether the registration that stands is itself lapsing, which tells more than that it was once made anew."""
    record = phase_of_record(case.rdap)
    return record in ADVERSE or (record is Phase.EXPIRED and has_lost_its_mail(case))


def _is_later_than_lapse(made: datetime, previous: History) -> bool:
    """Tell whether a registration was made after the open lapse, as far as a date tells that has no time of day."""
    if previous.lapsed_at is None:
        return False
    precision = timedelta(0) if made == previous.registered_at else DATE_PRECISION
    return made >= previous.lapsed_at - precision


def _is_another_registration(previous: History, made: datetime) -> bool:
    if previous.registered_at is None or previous.registry_seen_at is None:
        return False
    return made > previous.registered_at and made > previous.registry_seen_at


def _remembered_change(case: Case) -> Standing | None:
    """A re-registered domain looks perfectly active: where the registry says nothing new, what it said before holds."""
    made, previous = known_registration(case), case.previous
    # What was released can only be registered anew, whether the registry tells a date or not.
    is_later = previous.lapsed_at is not None and (
        previous.phase in {Phase.RELEASED, Phase.REREGISTERED} or (made is not None and made >= previous.lapsed_at)
    )
    said = {phase_of_record(case.rdap), phase_of(case.flags)}
    looks_alive = Phase.ACTIVE in said and said <= {Phase.ACTIVE, Phase.UNKNOWN}
    changed = looks_alive and (is_later or is_registered_since(case))
    return Standing(Phase.REREGISTERED, (Witness.PREVIOUS,)) if changed else None


def _phase_of_delegation(dns: DnsReading | None) -> Phase:
    if is_delegated(dns):
        return Phase.ACTIVE
    return Phase.UNDELEGATED if is_undelegated(dns) else Phase.UNKNOWN


def _agrees(said: Phase, phase: Phase) -> bool:
    return said is not Phase.UNKNOWN and (said is phase or (said in ADVERSE and phase in ADVERSE))


def _dns_agrees(dns: DnsReading | None, phase: Phase) -> bool:
    if dns is None:
        return False
    match phase:
        case Phase.ACTIVE:
            return is_delegated(dns)
        case Phase.EXPIRED | Phase.REDEMPTION | Phase.PENDING_DELETE:
            return is_mail_gone(dns)
        case Phase.RELEASED | Phase.UNDELEGATED | Phase.HELD:
            return is_undelegated(dns)
    return False
