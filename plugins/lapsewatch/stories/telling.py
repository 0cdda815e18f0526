"""A domain's story in plain sentences, with dates in UTC: for a terminal, a mail or a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from lapsewatch.core import wording
from lapsewatch.core.breaker import Exceeded
from lapsewatch.core.cadence import Source
from lapsewatch.core.case_json import read_dns, read_rdap
from lapsewatch.core.policy import Verdict
from lapsewatch.core.wording import counted, day, exemption_said, minute
from lapsewatch.stories.story import Row, Story

KEYS_SHOWN = 20
HOSTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `when` in words, and `what` it was, or who did it, where `text` does not say so."""

    at: datetime
    when: str
    what: str
    text: str


def now(story: Story) -> Iterator[str]:
    """Tell what is known now: the verdict and why, the registry's record, who uses it, when it is asked about again."""
    known = story.known
    if known["checked_at"] is None:
        yield f"Nothing is known of the domain yet; it was first met on {day(known['first_seen_at'])}."
    else:
        yield (
            f"{_sentence(known['reason'])} So {wording.VERDICTS[Verdict(known['verdict'])]}."
            f" (As of {minute(known['checked_at'])} UTC, by the policy '{known['policy']}'.)"
        )
    if known["attempted_at"] is not None and known["attempted_at"] != known["checked_at"]:
        yield f"Last asked about on {minute(known['attempted_at'])} UTC, without a usable answer: nothing changed."
    if known["registry_seen_at"] is not None:
        yield f"The registry's record as of {day(known['registry_seen_at'])}: {_record(known)}."
    if known["lapsed_at"] is not None:
        pardoned = {lapse["lapsed_at"] for lapse in story.lapses if lapse["pardoned_at"] is not None}
        but = ", but pardoned: nobody is unverified for it any more" if known["lapsed_at"] in pardoned else ""
        yield f"The lapse of {minute(known['lapsed_at'])} UTC is still open{but}."
    yield from _use(story)


def _use(story: Story) -> Iterator[str]:
    known = story.known
    used = [row for row in story.hosts if row["address_count"]]
    if not used:
        yield "No verified address is left under it, so it is not asked about any more."
        return
    hosts = ", ".join(f"{row['host']} {row['address_count']:,}" for row in used[:HOSTS_SHOWN])
    more = f" and {counted(len(used) - HOSTS_SHOWN, 'more host')}" if len(used) > HOSTS_SHOWN else ""
    yield f"Verified addresses under it at the last count: {known['address_count']:,} ({hosts}{more})."
    asked = wording.SOURCES[Source(known["next_source"])]
    yield f"The first run from {minute(known['next_check_at'])} UTC on asks {asked} about it again."


def _record(known: Row) -> str:
    parts = [
        f"registered {day(known['registered_at'])}" if known["registered_at"] else "",
        f"expires {day(known['expires_at'])}" if known["expires_at"] else "",
        f"registrar {known['registrar']}" if known["registrar"] else "",
        f"status {', '.join(known['rdap_status'])}" if known["rdap_status"] else "",
    ]
    return "; ".join(filter(None, parts)) or "it gives no dates"


def checks(story: Story) -> Iterator[Event]:
    """Tell what each check said, those in a row that say the same as one."""
    for _, alike in groupby(story.checks, key=_likeness):
        first, *others = alike
        if others:
            when = f"{day(first['checked_at'])} to {day(others[-1]['checked_at'])}, {len(others) + 1} checks alike"
        else:
            when = minute(first["checked_at"])
        asked = dict.fromkeys(wording.SOURCES[Source(check["source"])] for check in (first, *others))
        yield Event(first["checked_at"], when, f"by {' or '.join(asked)}", _check(first))


def _likeness(check: Row) -> tuple[Any, ...]:
    """What must be the same for checks to be told as one: uneventful ones need not have asked the same witnesses."""
    alike = (check["outcome"], check["verdict"], check["reason"], check["quarantine_reason"], check["is_renewed"])
    if _is_uneventful(check):
        return alike
    rdap, dns = check["rdap"] or {}, check["dns"] or {}
    said = (check["no_evidence_reason"], check["flags"], rdap.get("outcome"), rdap.get("status"), dns.get("outcome"))
    return (*alike, check["source"], *said, dns.get("mx"))


def _is_uneventful(check: Row) -> bool:
    is_plain = check["outcome"] == "evidence" and check["verdict"] == Verdict.KEEP.value
    return is_plain and not check["is_renewed"] and check["quarantine_reason"] is None


def _check(check: Row) -> str:
    if check["quarantine_reason"]:
        return f"the answer failed validation and was not used ({check['quarantine_reason']})."
    if _is_uneventful(check):
        return f"{check['reason']}."
    verdict = wording.VERDICTS[Verdict(check["verdict"])]
    sentences = [f"{check['reason']}. So {verdict}."]
    if check["is_renewed"]:
        sentences.append("The lapse before it is over: the same registration stands again.")
    if check["outcome"] == "no_evidence":
        sentences = [f"{check['reason']}."]
    return " ".join([*sentences, *said(check)])


def said(check: Row) -> Iterator[str]:
    """Tell what each witness that was asked said."""
    if check["flags"]:
        yield f"The status API said: {' '.join(check['flags'])} (the last word counts most)."
    elif check["no_evidence_reason"] and check["source"] == Source.STATUS_API:
        yield f"The status API gave no evidence: {wording.silence(check['no_evidence_reason'])}."
    if check["rdap"]:
        yield f"The registry: {wording.registry_said(read_rdap(check['rdap']))}."
    if check["dns"]:
        yield f"DNS: {wording.dns_said(read_dns(check['dns']))}."


def lapses(story: Story) -> Iterator[Event]:
    """Tell each lapse, and how it ended."""
    for lapse in story.lapses:
        how = {
            "observed": f"The first sign of it was seen on {minute(lapse['began_at'])} UTC.",
            "inferred": "Nobody saw it happen: the registration is later than the verification of an address.",
        }[lapse["kind"]]
        end = "It is still open."
        if lapse["ended_at"] is not None:
            end = f"It ended on {minute(lapse['ended_at'])} UTC: {lapse['end_reason']}."
        pardon = _pardon(lapse)
        text = f"{lapse['reason']}. {how} {end}{pardon} (Run {lapse['run_id']}.)"
        yield Event(lapse["lapsed_at"], f"{minute(lapse['lapsed_at'])} UTC", "", text)


def _pardon(lapse: Row) -> str:
    if lapse["pardoned_at"] is None:
        return ""
    return (
        f" It was pardoned on {minute(lapse['pardoned_at'])} UTC by {lapse['pardoned_by']}, so nobody is unverified for"
        f" it any more: {lapse['pardoned_why']}."
    )


def questions(story: Story) -> Iterator[Event]:
    """Tell when a person was asked about it, and what the answer was."""
    for asked in story.approvals:
        limits = "; ".join(Exceeded.from_json(limit).in_words() for limit in asked["exceeded"])
        suspicion = f" It looked suspicious: {asked['suspicion']}." if asked["suspicion"] else ""
        addresses = counted(asked["address_count"], "address", "addresses")
        text = (
            f"asked about {addresses}, because of the lapse of {minute(asked['lapsed_at'])} UTC."
            f" Above the limits: {limits}.{suspicion} {_answer(asked)} (Run {asked['run_id']}.)"
        )
        yield Event(asked["asked_at"], f"{minute(asked['asked_at'])} UTC", "", text)


def _answer(asked: Row) -> str:
    if asked["answer"] is None:
        return f"Not answered yet; silence is a rejection from {minute(asked['expires_at'])} UTC on."
    if asked["answered_by"] is None:
        return "Nobody answered in time, which is a rejection."
    said = {
        "approved": "Approved",
        "approved_unsuspicious": "Rejected, as suspicious," if asked["suspicion"] else "Approved, as not suspicious,",
        "rejected": "Rejected",
    }[asked["answer"]]
    return f"{said} on {minute(asked['answered_at'])} UTC by {asked['answered_by']}."


def exemptions(story: Story) -> Iterator[str]:
    """Tell what is exempt now, or may be."""
    yield from map(exemption_said, story.exemptions)
    if unmet := story.unmet_exemption_count:
        # What is exempt is never planned, so that its domain is not known here.
        yield (
            f"Besides, {counted(unmet, 'exemption')} by key {'is' if unmet == 1 else 'are'} in force for addresses that"
            " no run has met, under whatever domain they are: `lapsewatch exempt --list` shows them."
        )


def ended_exemptions(story: Story) -> Iterator[str]:
    """Tell what was exempt once, and is no more."""
    for row in story.ended_exemptions:
        yield f"Over: {exemption_said(row)}"


def unverifications(story: Story) -> Iterator[Event]:
    """Tell whose verification was taken away, given back, or would have been, by the keys of the addresses."""
    reason_of = {lapse["lapsed_at"]: lapse["reason"] for lapse in story.lapses}
    for row in story.unverifications:
        count = row["address_count"]
        # Told above already, unless later evidence gave another.
        reason = "" if row["reason"] == reason_of.get(row["lapsed_at"]) else f": {row['reason']}"
        text = (
            f"{_fate(row)}, because of the lapse of {minute(row['lapsed_at'])} UTC{reason}."
            f" {'Key' if count == 1 else 'Keys'}: {keys(row['address_keys'])}. (Run {row['run_id']}.)"
        )
        at = row["settled_at"] or row["planned_at"]
        yield Event(at, f"{minute(at)} UTC", f"{counted(count, 'address', 'addresses')} on {row['host']}", text)


def _fate(row: Row) -> str:
    planned = f"{minute(row['planned_at'])} UTC"
    match row["state"]:
        case "dry_run":
            return f"verification would have been taken away on {planned} (a dry run: nothing was changed)"
        case "unverified":
            return f"verification taken away on {minute(row['settled_at'] or row['planned_at'])} UTC"
        case "undone":
            return (
                f"verification taken away on {minute(row['settled_at'])} UTC, and given back on"
                f" {minute(row['undone_at'])} UTC by {row['undone_by']} ({row['undone_why']})"
            )
        case "undoing":
            return f"verification being given back by {row['undone_by']} ({row['undone_why']}), not confirmed yet"
        case "awaiting":
            return f"verification to be taken away if a person approves (asked on {planned})"
        case "rejected":
            return f"left alone (planned on {planned}, but not approved, or exempt)"
        case "skipped":
            return f"left alone (planned on {planned}, but no longer to be done when its turn came)"
    return f"verification to be taken away (planned on {planned}, not confirmed yet)"


def keys(address_keys: list[str]) -> str:
    """Return the first keys of addresses, and how many more there are."""
    more = f" and {len(address_keys) - KEYS_SHOWN:,} more" if len(address_keys) > KEYS_SHOWN else ""
    return ", ".join(address_keys[:KEYS_SHOWN]) + more


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
