"""What the evidence means for an address: keep its trust, watch the domain, or stop trusting.

`docs/policies.md` states these rules as tables; a test holds the tables and the code against each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lapsewatch.core.evidence import DnsOutcome, Flag, RdapOutcome
from lapsewatch.core.lifecycle import (
    ADVERSE,
    Case,
    Phase,
    Standing,
    Witness,
    awaits_registry,
    has_come_to_its_date,
    has_lost_its_mail,
    is_delegated,
    is_mail_gone,
    is_registered_since,
    is_restoring,
    known_registration,
    phase_of,
    phase_of_record,
    registered_at,
    standing,
)

MAX_EVIDENCE_AGE = timedelta(hours=48)
"""How old the evidence of a lapse may be when an address is unverified on it. Older evidence is asked for again."""

SECOND_READING_AFTER = timedelta(hours=24)
"""How long an adverse reading must have stood to count where no second witness speaks."""

PYPI_FLAGS = frozenset({Flag.UNDELEGATED, Flag.INACTIVE, Flag.EXPIRING, Flag.DELETING, Flag.UNKNOWN})
"""PyPI unverifies on any of these, anywhere in the list (warehouse, pull request 18055)."""

RUBYGEMS_FLAGS = frozenset({Flag.INACTIVE, Flag.PARKED, Flag.EXPIRING, Flag.DELETING})
"""RubyGems.org acts on any of these, anywhere in the list, where the host has no MX."""


class Verdict(StrEnum):
    """Keep the trust, keep it but ask again tomorrow, or stop trusting the addresses."""

    KEEP = "keep"
    WATCH = "watch"
    UNVERIFY = "unverify"


class Policy(StrEnum):
    """The named policies: ours, and the published rules of two registries to the letter."""

    CORROBORATED = "corroborated"
    PYPI = "pypi"
    RUBYGEMS = "rubygems"


@dataclass(frozen=True, slots=True)
class Decision:
    """A phase, a verdict, and the reason in words that support staff can paste.

    `witnesses` say what the phase says. `adverse_since` is when the readings that speak of a lapse began. `is_renewed`
    tells that the open lapse is over: the same registration stands again.
    """

    phase: Phase
    verdict: Verdict
    reason: str
    witnesses: tuple[Witness, ...]
    adverse_since: datetime | None
    is_renewed: bool


def decide(case: Case, policy: Policy = Policy.CORROBORATED) -> Decision:
    """Decide on a case. Never raises; missing evidence never ends in `unverify`, nor does a date alone."""
    stands = standing(case)
    verdict, reason, witnesses = _RULES[policy](case, stands)
    is_over = _is_over(case, stands, verdict, policy)
    return Decision(
        phase=stands.phase,
        verdict=verdict,
        reason=reason,
        witnesses=witnesses,
        adverse_since=None if is_over else _adverse_since(case, stands, verdict),
        is_renewed=_has_lapsed(case) and is_over,
    )


def is_evidence(case: Case, decision: Decision) -> bool:
    """Tell whether the status API or the registry said anything. DNS alone is no check of a registration."""
    heard = Witness.FLAGS in decision.witnesses or phase_of(case.flags) is not Phase.UNKNOWN
    return heard or phase_of_record(case.rdap) is not Phase.UNKNOWN


Ruling = tuple[Verdict, str, tuple[Witness, ...]]

_FACTS = {
    Phase.ACTIVE: "the domain is registered",
    Phase.EXPIRED: "the registration has come to its date and is in the grace period in which it can be renewed",
    Phase.REDEMPTION: "the domain was not renewed and is in redemption, where only a paid restore brings it back",
    Phase.PENDING_DELETE: "the domain was not renewed and is about to be deleted, after which anyone can register it",
    Phase.RELEASED: "the domain is not registered, so anyone can register it",
    Phase.REREGISTERED: "the domain was released and registered anew",
    Phase.UNDELEGATED: "the domain is not in DNS, which is weak evidence",
    Phase.HELD: "the domain is registered but on hold, which may be a mistake or a dispute",
    Phase.RESERVED: "the registry keeps the domain back or sells it itself",
    Phase.UNKNOWN: "no evidence: nothing changes, and the next run asks again",
}

_NAMES = {
    Witness.FLAGS: "the status API",
    Witness.RDAP: "the registry",
    Witness.DNS: "DNS",
    Witness.PREVIOUS: "an earlier reading",
}


def _corroborated(case: Case, stands: Standing) -> Ruling:
    phase = stands.phase
    if phase is not Phase.REREGISTERED and awaits_registry(case):
        reason = f"{_FACTS[phase]}, when the registry last said so, and now it is silent: it is asked again tomorrow"
        return Verdict.WATCH, reason, stands.witnesses
    if phase in ADVERSE:
        return _on_adverse_reading(case, stands)
    if phase is Phase.REREGISTERED:
        return _on_change_of_hands(case, stands)
    if phase is Phase.EXPIRED:
        return _on_expiry(case, stands)
    if phase is Phase.ACTIVE:
        return _on_registered_domain(case, stands)
    reason = _FACTS[phase] if phase is Phase.UNKNOWN else f"{_FACTS[phase]}: it is asked about again tomorrow"
    return Verdict.WATCH, reason, stands.witnesses


def _on_adverse_reading(case: Case, stands: Standing) -> Ruling:
    """An adverse reading counts when a second witness agrees: the registry, else DNS, else the same a day later."""
    fact, witnesses = _FACTS[stands.phase], stands.witnesses
    made = known_registration(case)
    if made is not None and is_registered_since(case):
        by = Witness.RDAP if registered_at(case) else Witness.PREVIOUS
        reason = f"{fact}; before that it was registered anew on {_day(made)}, after the address was verified"
        return Verdict.UNVERIFY, reason, witnesses if by in witnesses else (*witnesses, by)
    if is_restoring(case.rdap):
        return Verdict.WATCH, f"{fact}; its owner has paid for one, and the registry waits for the report", witnesses
    if _is_contradicted(case, stands):
        others = "DNS" if is_delegated(case.dns) else "the status API"
        reason = f"{fact}, {_say(witnesses)}, but not {others}: it is asked about again tomorrow"
        return Verdict.WATCH, reason, witnesses
    if (len(witnesses) == 1 or _is_unregistered_by_hearsay(stands)) and Witness.PREVIOUS not in witnesses:
        if not _stood_for_a_day(case):
            alone = " alone" if len(witnesses) == 1 else ", but not the registry"
            return Verdict.WATCH, f"{fact}, {_say(witnesses)}{alone}: a second witness is awaited", witnesses
        witnesses = (*witnesses, Witness.PREVIOUS)
    if _is_verified_since_readings_began(case):
        return Verdict.WATCH, f"{fact}, but the address was verified again after that began: left alone", witnesses
    return Verdict.UNVERIFY, f"{fact}, {_say(witnesses)}", witnesses


def _is_unregistered_by_hearsay(stands: Standing) -> bool:
    """Tell whether others than the registry say that a domain is not registered.

    On a bad day a status API says so of live domains, and DNS agrees where one has been out of it for years: whether
    anybody has registered it is not DNS's to know. Of redemption and deletion no API is known to have said so in error.
    """
    return stands.phase is Phase.RELEASED and Witness.RDAP not in stands.witnesses


def _is_contradicted(case: Case, stands: Standing) -> bool:
    """Tell whether one witness stands alone against another: while mail arrives, the owner still holds the domain.

    A delegated domain is not released, be it parked or not. A leading `active` flag contradicts a registry that knows
    no registration, not one that speaks of redemption, because `expiring` is not guaranteed to be shown.
    """
    if stands.phase not in ADVERSE or len(stands.witnesses) > 1:
        return False
    if phase_of_record(case.rdap) in {Phase.REDEMPTION, Phase.PENDING_DELETE}:
        # The registry itself may be early, not wrong: it is believed when it says so a day later.
        return False
    return is_delegated(case.dns) or (stands.phase is Phase.RELEASED and phase_of(case.flags) is Phase.ACTIVE)


def _stood_for_a_day(case: Case) -> bool:
    since = case.previous.adverse_since
    return case.previous.phase in ADVERSE and since is not None and case.now - since >= SECOND_READING_AFTER


def _readings_since(case: Case) -> datetime | None:
    """Return when the readings of a lapse began that one of now would go on with; None where it is the first.

    A reading of a registered domain in between ends them, unless the lapse is open: then only what `_adverse_since`
    says does, so that one good answer amid stale ones is not followed by a second lapse.
    """
    previous = case.previous
    if previous.phase is Phase.ACTIVE and previous.lapsed_at is None:
        return None
    return previous.adverse_since


def _is_verified_since_readings_began(case: Case) -> bool:
    """Tell whether the address was verified in the course of this lapse: by an owner who was quicker than we.

    A domain that stood well or in other hands when it was last read lapses anew, whatever lapse is still open.
    """
    previous = case.previous
    is_anew = previous.phase in {Phase.ACTIVE, Phase.REREGISTERED}
    return _is_verified_since(case, _readings_since(case) or (None if is_anew else previous.lapsed_at))


def _is_verified_since(case: Case, began: datetime | None) -> bool:
    return began is not None and case.verified_at is not None and case.verified_at >= began


def changed_hands_reason(made: datetime) -> str:
    """Return the reason to distrust an address that was verified before the domain's present registration was made."""
    return f"{_FACTS[Phase.REREGISTERED]} on {_day(made)}, after the address was verified"


def _on_change_of_hands(case: Case, stands: Standing) -> Ruling:
    made = known_registration(case) or case.now
    fact, witnesses = _FACTS[stands.phase], stands.witnesses
    if case.verified_at is None:
        reason = f"{fact} on {_day(made)}, after it had lapsed: whoever holds it now need not be its owner"
        return Verdict.UNVERIFY, reason, witnesses
    if is_registered_since(case):
        return Verdict.UNVERIFY, changed_hands_reason(made), witnesses
    return Verdict.KEEP, f"{fact} on {_day(made)}, and the address was verified since", witnesses


def _on_expiry(case: Case, stands: Standing) -> Ruling:
    """Expiry counts once the mail has gone with the date, for weeks: auctions hand a domain over without redemption.

    Registries show the grace period of a domain, too, whose owner's registrar has paid. Some of these have had no mail
    for years, others are on hold for some days; and most who pay late do it in the first weeks.
    """
    fact, witnesses = _FACTS[stands.phase], stands.witnesses
    if not is_mail_gone(case.dns):
        return Verdict.WATCH, f"{fact}: it is asked about again tomorrow", witnesses
    if not has_lost_its_mail(case):
        since = case.previous.mail_seen_at
        known = f"it did on {_day(since)}" if since else "nobody knows that it did before"
        return Verdict.WATCH, f"{fact}; mail does not reach its owner, but {known}: it is asked about again", witnesses
    if _is_verified_since_readings_began(case):
        return Verdict.WATCH, f"{fact}, but the address was verified again after that began: left alone", witnesses
    return Verdict.UNVERIFY, f"{fact}, and mail no longer reaches its owner, {_say(witnesses)}", witnesses


def _on_registered_domain(case: Case, stands: Standing) -> Ruling:
    fact, witnesses = _FACTS[stands.phase], stands.witnesses
    if phase_of(case.flags) in ADVERSE:
        return (
            Verdict.WATCH,
            f"{fact}, {_say(witnesses)}, but not the status API: it is asked about again tomorrow",
            witnesses,
        )
    if _is_verified_since(case, case.previous.adverse_since or case.previous.lapsed_at):
        return Verdict.KEEP, f"{fact}, and the address was verified after the lapse began", witnesses
    if _has_lapsed(case) and not _is_same_registration_again(case, stands):
        return (
            Verdict.WATCH,
            f"{fact} again after a lapse, and nothing says by whom: it is asked about again tomorrow",
            witnesses,
        )
    if has_come_to_its_date(case):
        return Verdict.WATCH, f"{fact}, but its date has come, and the registry is yet to be heard on it", witnesses
    if case.rdap is not None and case.rdap.expires_at is not None and case.rdap.expires_at < case.now:
        return Verdict.WATCH, f"{fact}, though its date has passed: it is asked about again tomorrow", witnesses
    return Verdict.KEEP, fact, witnesses


def _pypi(case: Case, stands: Standing) -> Ruling:
    if not case.flags:
        return Verdict.WATCH, _FACTS[Phase.UNKNOWN], ()
    met = [flag for flag in case.flags if flag in PYPI_FLAGS]
    if met:
        return Verdict.UNVERIFY, f"by PyPI's rule: the status has {_quoted(met)}", (Witness.FLAGS,)
    return Verdict.KEEP, "by PyPI's rule: the status has none of the flags that count", (Witness.FLAGS,)


def _rubygems(case: Case, stands: Standing) -> Ruling:
    if not case.flags:
        return Verdict.WATCH, _FACTS[Phase.UNKNOWN], ()
    met = [flag for flag in case.flags if flag in RUBYGEMS_FLAGS]
    if not met:
        return Verdict.KEEP, "by RubyGems' rule: the status has none of the flags that count", (Witness.FLAGS,)
    mx = case.dns.mx if case.dns is not None and case.dns.outcome is not DnsOutcome.NO_EVIDENCE else None
    if mx is None:
        return Verdict.WATCH, f"by RubyGems' rule: the status has {_quoted(met)}, but DNS did not say", (Witness.FLAGS,)
    if mx:
        return Verdict.KEEP, f"by RubyGems' rule: the status has {_quoted(met)}, but there is an MX", (Witness.FLAGS,)
    both = (Witness.FLAGS, Witness.DNS)
    return Verdict.UNVERIFY, f"by RubyGems' rule: the status has {_quoted(met)}, and there is no MX", both


_RULES: dict[Policy, Callable[[Case, Standing], Ruling]] = {
    Policy.CORROBORATED: _corroborated,
    Policy.PYPI: _pypi,
    Policy.RUBYGEMS: _rubygems,
}


def _has_lapsed(case: Case) -> bool:
    previous = case.previous
    return previous.lapsed_at is not None or (previous.adverse_since is not None and previous.phase in ADVERSE)


def _is_over(case: Case, stands: Standing, verdict: Verdict, policy: Policy) -> bool:
    """Tell whether a lapse has ended: by the registry's word, or where a policy never asks it, by its own verdict."""
    if policy is Policy.CORROBORATED:
        return _is_same_registration_again(case, stands)
    return verdict is Verdict.KEEP and stands.phase is not Phase.REREGISTERED


def _is_same_registration_again(case: Case, stands: Standing) -> bool:
    """Tell whether the domain is registered as before, as the registry's date proves: a later one is another phase."""
    return (
        stands.phase is Phase.ACTIVE
        and phase_of(case.flags) not in ADVERSE
        and case.rdap is not None
        and case.rdap.outcome is RdapOutcome.FOUND
        and registered_at(case) is not None
    )


def _adverse_since(case: Case, stands: Standing, verdict: Verdict) -> datetime | None:
    """Return when the present readings of a lapse began; silence and weak readings neither begin nor end them.

    A contradicted reading does not count, so that the day a second reading takes begins with the first that nobody
    contradicts. What ends the readings need not end the lapse: that is remembered by itself.
    """
    since, has_open_lapse = case.previous.adverse_since, case.previous.lapsed_at is not None
    if stands.phase is Phase.REREGISTERED:
        return None
    if awaits_registry(case):
        return since
    is_contradicted = _is_contradicted(case, stands)
    if verdict is Verdict.UNVERIFY or (_speaks_of_lapse(case, stands) and not is_contradicted):
        return _readings_since(case) or case.now
    if is_contradicted:
        return since if has_open_lapse else None
    if stands.phase is Phase.ACTIVE and phase_of(case.flags) not in ADVERSE:
        return since if verdict is Verdict.WATCH and not has_open_lapse else None
    return since


def _speaks_of_lapse(case: Case, stands: Standing) -> bool:
    return stands.phase in ADVERSE or (stands.phase is Phase.EXPIRED and has_lost_its_mail(case))


def _say(witnesses: tuple[Witness, ...]) -> str:
    return f"{'says' if len(witnesses) == 1 else 'say'} {_names(witnesses)}"


def _day(instant: datetime) -> str:
    return instant.date().isoformat()


def _names(witnesses: tuple[Witness, ...]) -> str:
    *others, last = [_NAMES[witness] for witness in witnesses]
    return f"{', '.join(others)} and {last}" if others else last


def _quoted(flags: list[Flag]) -> str:
    return ", ".join(f"`{flag.value}`" for flag in flags)
