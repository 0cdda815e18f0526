"""A registration later than the verification is a lapse of its own, and never a renewal."""

from dataclasses import replace
from datetime import datetime

import pytest
from lapsewatch.core.evidence import RdapReading
from lapsewatch.core.lifecycle import History, Phase
from lapsewatch.core.policy import Policy, Verdict, changed_hands_reason, decide

from tests.core.cases import (
    DAY,
    FLAGS,
    KEEP,
    LONG_AGO,
    NOW,
    PARKED,
    PREVIOUS,
    RDAP_SILENT,
    SECOND,
    UNVERIFY,
    WITH_MAIL,
    case,
    found,
    verdict,
)

MADE = NOW - 10 * DAY


@pytest.mark.parametrize(
    ("verified_at", "expected"), [(LONG_AGO, UNVERIFY), (MADE - SECOND, UNVERIFY), (MADE, KEEP), (MADE + DAY, KEEP)]
)
@pytest.mark.parametrize(
    "rdap", [found("active", registered_at=MADE), found("auto renew period", registered_at=MADE), RDAP_SILENT, None]
)
def test_a_registration_later_than_the_verification_is_a_lapse_of_its_own(
    rdap: RdapReading | None, verified_at: datetime, expected: Verdict
) -> None:
    seen = History() if rdap is not None and rdap.registered_at else History(registered_at=MADE)
    decision = decide(case("active", rdap=rdap, previous=seen, verified_at=verified_at))
    if expected is UNVERIFY:
        assert (decision.phase, decision.verdict) == (Phase.REREGISTERED, UNVERIFY)
        assert decision.reason == changed_hands_reason(MADE)
        assert decision.reason.endswith("on 2026-11-10, after the address was verified")
    else:
        assert decision.verdict is not UNVERIFY


@pytest.mark.parametrize("status", [("redemption period",), ("pending delete",)])
def test_a_later_registration_counts_also_when_it_lapses_itself(status: tuple[str, ...]) -> None:
    known = case("active", rdap=found(*status, registered_at=MADE), dns=WITH_MAIL, verified_at=LONG_AGO)
    decision = decide(known)
    assert decision.verdict is UNVERIFY
    assert "registered anew on 2026-11-10, after the address was verified" in decision.reason
    remembered = decide(case("deleting", previous=History(registered_at=MADE), verified_at=LONG_AGO))
    assert (remembered.verdict, remembered.witnesses) == (UNVERIFY, (FLAGS, PREVIOUS))


def test_a_domain_that_changed_hands_after_a_lapse_stays_distrusted() -> None:
    lapse = History(phase=Phase.RELEASED, adverse_since=NOW - 30 * DAY, lapsed_at=NOW - 29 * DAY)
    taken = found("active", registered_at=MADE)
    for rdap, seen in [(taken, lapse), (RDAP_SILENT, replace(lapse, registered_at=MADE))]:
        decision = decide(case("active", rdap=rdap, dns=WITH_MAIL, previous=seen))
        assert (decision.phase, decision.verdict) == (Phase.REREGISTERED, UNVERIFY)
        assert (decision.is_renewed, decision.adverse_since) == (False, None)
        assert "need not be its owner" in decision.reason
        # Who proved to hold the address since is the new owner, or the old one who caught it.
        assert verdict(case("active", rdap=rdap, previous=seen, verified_at=MADE + DAY)) is KEEP


def test_no_policy_takes_a_registration_anew_for_a_renewal() -> None:
    lapse = History(phase=Phase.RELEASED, adverse_since=NOW - 30 * DAY, lapsed_at=NOW - 29 * DAY)
    known = case("active", rdap=found("active", registered_at=MADE), dns=WITH_MAIL, previous=lapse)
    assert [decide(known, policy).is_renewed for policy in Policy] == [False, False, False]


def test_who_registered_anew_may_lose_it_too() -> None:
    bought = History(phase=Phase.REREGISTERED, lapsed_at=MADE, registered_at=MADE)
    lost = case("deleting", rdap=found("pending delete", registered_at=MADE), previous=bought, verified_at=MADE + DAY)
    assert verdict(lost) is UNVERIFY
    with_mail = replace(bought, expired_since=NOW - 38 * DAY, mail_seen_at=NOW - 40 * DAY)
    auctioned = replace(lost, rdap=found("auto renew period", registered_at=MADE), dns=PARKED, previous=with_mail)
    assert (decide(auctioned).phase, verdict(auctioned)) == (Phase.EXPIRED, UNVERIFY)
    # While mail arrives, what was known of the change of hands still tells more.
    assert decide(replace(auctioned, dns=WITH_MAIL)).phase is Phase.REREGISTERED
