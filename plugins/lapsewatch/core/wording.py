"""Phases, verdicts and what the witnesses said, in words for people who have read no manual."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lapsewatch.core.cadence import Source
from lapsewatch.core.evidence import DnsOutcome, DnsReading, Flag, NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.lifecycle import Phase
from lapsewatch.core.policy import Verdict

NAMESERVERS_SHOWN = 4

PHASES = {
    Phase.ACTIVE: "registered",
    Phase.EXPIRED: "expired, not yet renewed",
    Phase.REDEMPTION: "in redemption (not renewed; only a paid restore brings it back)",
    Phase.PENDING_DELETE: "about to be deleted",
    Phase.RELEASED: "not registered",
    Phase.REREGISTERED: "registered anew after it had been given up",
    Phase.UNDELEGATED: "not in DNS",
    Phase.HELD: "registered, but on hold",
    Phase.RESERVED: "kept back or sold by the registry itself",
    Phase.UNKNOWN: "unknown",
}

VERDICTS = {
    Verdict.KEEP: "addresses under it keep their trust",
    Verdict.WATCH: "addresses under it keep their trust for now, and the domain is watched",
    Verdict.UNVERIFY: "addresses under it are no longer trusted",
}

SOURCES = {
    Source.STATUS_API: "the status API",
    Source.REGISTRY: "the registry",
}

SILENCES = {
    NoEvidenceReason.TIMEOUT: "no answer in time",
    NoEvidenceReason.UNREACHABLE: "out of reach",
    NoEvidenceReason.RATE_LIMITED: "refused for now: too many questions",
    NoEvidenceReason.REFUSED: "refused to answer",
    NoEvidenceReason.SERVER_ERROR: "failed",
    NoEvidenceReason.BAD_REQUEST: "did not take the question",
    NoEvidenceReason.NOT_JSON: "answered something that can't be read",
    NoEvidenceReason.TOO_LARGE: "answered more than can be read",
    NoEvidenceReason.NO_STATUS: "answered without a status",
    NoEvidenceReason.OTHER_DOMAIN: "answered about another domain",
    NoEvidenceReason.UNKNOWN_FLAG: "answered with a flag that nobody documented",
    NoEvidenceReason.PROVIDER_UNKNOWN: "does not know",
    NoEvidenceReason.WRONG_OBJECT: "answered something else",
    NoEvidenceReason.NO_SERVER: "no RDAP server is known for this top-level domain",
    NoEvidenceReason.SERVER_PAUSED: "not asked: the server has asked for a pause",
    NoEvidenceReason.SERVFAIL: "the resolver failed",
    NoEvidenceReason.BAD_DNS_ANSWER: "answered something that can't be read",
    NoEvidenceReason.BUDGET_SPENT: "not asked: the budget of questions was spent",
}


def silence(reason: NoEvidenceReason | str | None) -> str:
    """Return why there is no evidence."""
    known = {member.value for member in SILENCES}
    return SILENCES[NoEvidenceReason(reason)] if reason in known else "no reason is known"


def flags_said(flags: Sequence[Flag], reason: NoEvidenceReason | None) -> str:
    """Return what a status API that was asked said."""
    return " ".join(flag.value for flag in flags) or f"no evidence ({silence(reason)})"


def registry_said(rdap: RdapReading | None) -> str:
    """Return what the registry said, in one line."""
    if rdap is None:
        return "not asked"
    if rdap.outcome is RdapOutcome.NO_EVIDENCE:
        return f"no evidence ({silence(rdap.reason)})"
    if rdap.outcome is RdapOutcome.NOT_FOUND:
        return "has no such domain"
    parts = [
        f"status {', '.join(rdap.status)}" if rdap.status else "no status",
        f"registered {day(rdap.registered_at)}" if rdap.registered_at else "",
        f"expires {day(rdap.expires_at)}" if rdap.expires_at else "",
        f"registrar {rdap.registrar}" if rdap.registrar else "",
    ]
    return "; ".join(filter(None, parts))


def dns_said(dns: DnsReading | None) -> str:
    """Return what DNS said, in one line."""
    if dns is None:
        return "not asked"
    if dns.outcome is DnsOutcome.NO_EVIDENCE:
        return f"no evidence ({silence(dns.reason)})"
    denial = f" ({dns.denial.upper()})" if dns.denial else ""
    delegation = "delegated" if dns.outcome is DnsOutcome.DELEGATED else f"not delegated{denial}"
    if shown := dns.nameservers[:NAMESERVERS_SHOWN]:
        delegation += f" to {', '.join(shown)}" + (" and others" if len(dns.nameservers) > len(shown) else "")
    return f"{delegation}; {_mail_said(dns)}"


def exemption_said(exemption: Mapping[str, Any]) -> str:
    """Return what is exempt, until when, and who said why, in one line; and who ended it, where somebody has."""
    what = exemption["domain"] or f"the address with the key {exemption['address_key']}"
    until = "for good" if exemption["expires_at"] is None else f"until {minute(exemption['expires_at'])} UTC"
    ended = f"; ended by {exemption['ended_by']}: {exemption['ended_why']}" if exemption.get("ended_by") else ""
    return (
        f"Exemption {exemption['exemption_id']}: {what}, {until}. Given by {exemption['exempted_by']} on"
        f" {day(exemption['exempted_at'])}: {exemption['reason']}{ended}"
    )


def day(instant: datetime) -> str:
    """Return a day, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


def minute(instant: datetime) -> str:
    """Return a day and time, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with what it counts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _mail_said(dns: DnsReading) -> str:
    if dns.mx:
        return "takes mail"
    if dns.mx is None:
        return "whether it takes mail is not known"
    if dns.address:
        return "no mail server, mail goes to its address"
    return "takes no mail" if dns.address is False else "no mail server"
