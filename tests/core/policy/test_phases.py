"""Restores, expiry, and other phases; and what counts as having heard of a registration."""

from dataclasses import replace
from datetime import datetime

import pytest
from lapsewatch.core.evidence import DnsReading
from lapsewatch.core.lifecycle import MAIL_GONE_FOR, MAIL_REMEMBERED, Case, History, Phase
from lapsewatch.core.policy import Policy, Verdict, decide, is_evidence

from tests.core.cases import (
    DAY,
    DNS_SILENT,
    IN_GRACE,
    IN_REDEMPTION,
    KEEP,
    LONG_AGO,
    MAIL_BEFORE,
    NOT_FOUND,
    NOW,
    PARKED,
    RDAP_SILENT,
    SECOND,
    SOUND,
    UNDELEGATED,
    UNVERIFY,
    WATCH,
    WITH_MAIL,
    WITHOUT_MAIL,
    case,
    found,
    read_adverse,
    verdict,
)


@pytest.mark.parametrize("status", [("pending restore",), ("redemption period", "pending restore", "pending delete")])
def test_an_owner_who_pays_for_the_way_back_is_waited_for(status: tuple[str, ...]) -> None:
    restoring = case("deleting", rdap=found(*status), dns=UNDELEGATED, previous=read_adverse(NOW - 9 * DAY))
    decision = decide(restoring)
    assert decision.verdict is WATCH
    assert "has paid" in decision.reason
    # But not where somebody else has registered the domain since.
    assert verdict(replace(restoring, rdap=found(*status, registered_at=NOW - DAY), verified_at=LONG_AGO)) is UNVERIFY


def test_a_restore_is_the_registrys_to_tell() -> None:
    silent = replace(RDAP_SILENT, status=("pending restore",))
    assert verdict(case("deleting", rdap=silent, dns=UNDELEGATED)) is UNVERIFY


@pytest.mark.parametrize(
    ("dns", "expected"),
    [
        (None, WATCH),
        (DNS_SILENT, WATCH),
        (WITH_MAIL, WATCH),
        (replace(WITHOUT_MAIL, mx=None), WATCH),
        (replace(WITHOUT_MAIL, address=True), WATCH),
        (WITHOUT_MAIL, UNVERIFY),
        (replace(WITHOUT_MAIL, address=None), UNVERIFY),
        (PARKED, UNVERIFY),
        (UNDELEGATED, UNVERIFY),
    ],
)
@pytest.mark.parametrize("status", ["", "active", "expiring", "undelegated"])
def test_expiry_counts_once_the_mail_is_gone(status: str, dns: DnsReading | None, expected: Verdict) -> None:
    decision = decide(case(status, rdap=IN_GRACE, dns=dns, previous=MAIL_BEFORE))
    assert (decision.phase, decision.verdict) == (Phase.EXPIRED, expected)
    assert decision.adverse_since == (NOW if expected is UNVERIFY else None)


@pytest.mark.parametrize(
    ("seen_at", "expired_since", "expected"),
    [
        (None, NOW - 40 * DAY, WATCH),
        (NOW - MAIL_REMEMBERED - SECOND, NOW - 40 * DAY, WATCH),
        (NOW - MAIL_REMEMBERED, NOW - 40 * DAY, UNVERIFY),
        (NOW - MAIL_GONE_FOR, NOW - 40 * DAY, UNVERIFY),
        (NOW - MAIL_GONE_FOR + SECOND, NOW - 40 * DAY, WATCH),
        # What nobody looked at has not been gone: the date itself must have been heard of for as long.
        (NOW - 40 * DAY, None, WATCH),
        (NOW - 60 * DAY, NOW - MAIL_GONE_FOR + SECOND, WATCH),
        (NOW - 60 * DAY, NOW - MAIL_GONE_FOR, UNVERIFY),
    ],
)
@pytest.mark.parametrize("dns", [WITHOUT_MAIL, PARKED, UNDELEGATED])
def test_mail_must_have_gone_with_the_date_and_for_weeks(
    dns: DnsReading, seen_at: datetime | None, expired_since: datetime | None, expected: Verdict
) -> None:
    """A registry shows `auto renew period` of domains, too, that are paid for."""
    previous = History(Phase.EXPIRED, expired_since=expired_since, mail_seen_at=seen_at)
    decision = decide(case("active", rdap=IN_GRACE, dns=dns, previous=previous))
    assert (decision.phase, decision.verdict) == (Phase.EXPIRED, expected)
    assert decision.adverse_since == (NOW if expected is UNVERIFY else None)


@pytest.mark.parametrize("dns", [None, DNS_SILENT, WITH_MAIL, WITHOUT_MAIL, PARKED, UNDELEGATED])
def test_redemption_is_never_judged_more_mildly_than_grace(dns: DnsReading | None) -> None:
    if verdict(case("active", rdap=IN_GRACE, dns=dns, previous=MAIL_BEFORE)) is UNVERIFY:
        assert verdict(case("active", rdap=IN_REDEMPTION, dns=dns, previous=MAIL_BEFORE)) is UNVERIFY


@pytest.mark.parametrize(
    "known",
    [
        case("active", rdap=found("client hold"), dns=UNDELEGATED),
        case("deleting", rdap=found("server hold"), dns=UNDELEGATED),
        case("inactive", rdap=found("reserved"), dns=UNDELEGATED),
        case("undelegated inactive premium", dns=UNDELEGATED),
        case("undelegated", dns=UNDELEGATED),
        case("unknown", dns=UNDELEGATED),
    ],
)
def test_what_may_be_anything_is_watched_and_begins_nothing(known: Case) -> None:
    decision = decide(known)
    assert (decision.verdict, decision.adverse_since) == (WATCH, None)
    since = NOW - 3 * DAY
    assert decide(replace(known, previous=read_adverse(since))).adverse_since == since


def test_a_date_that_has_passed_is_a_reason_to_ask_again_and_no_more() -> None:
    decision = decide(case("active", rdap=found("active", expires_at=NOW - 20 * DAY), dns=UNDELEGATED))
    assert (decision.verdict, decision.adverse_since) == (WATCH, None)
    assert "its date has passed" in decision.reason
    assert verdict(case("active", rdap=found("active", expires_at=NOW + DAY))) is KEEP


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (case("active"), True),
        (case("undelegated"), True),
        (case("unknown"), False),
        (case(""), False),
        (case("", dns=WITH_MAIL), False),
        (case("unknown", dns=UNDELEGATED), False),
        (case("", rdap=RDAP_SILENT), False),
        (case("", rdap=NOT_FOUND), True),
        (case("unknown", rdap=SOUND), True),
    ],
)
def test_dns_alone_is_no_check_of_a_registration(known: Case, expected: bool) -> None:
    assert is_evidence(known, decide(known)) is expected


def test_to_pypi_unknown_is_an_answer() -> None:
    assert is_evidence(case("unknown"), decide(case("unknown"), Policy.PYPI))
    assert not is_evidence(case(""), decide(case(""), Policy.PYPI))
