"""The rules that PyPI and RubyGems.org have published, to the letter."""

from dataclasses import replace
from datetime import datetime

import pytest
from lapsewatch.core.evidence import DnsReading, RdapReading
from lapsewatch.core.lifecycle import History
from lapsewatch.core.policy import PYPI_FLAGS, RUBYGEMS_FLAGS, Policy, Verdict, decide

from tests.core.cases import (
    BEGAN,
    DNS,
    DNS_SILENT,
    FLAGS,
    IN_REDEMPTION,
    KEEP,
    LAPSED,
    NOT_FOUND,
    NOW,
    OPEN,
    PARKED,
    SOUND,
    UNDELEGATED,
    UNVERIFY,
    WATCH,
    WITH_MAIL,
    WITHOUT_MAIL,
    case,
    verdict,
)


@pytest.mark.parametrize(
    "status", ["active", "parked", "undelegated reserved", "active undelegated", "deleting active"]
)
@pytest.mark.parametrize("dns", [None, WITH_MAIL, UNDELEGATED])
@pytest.mark.parametrize("rdap", [None, SOUND, IN_REDEMPTION])
@pytest.mark.parametrize("verified_at", [None, NOW])
def test_pypis_rule_knows_flags_only(
    status: str, dns: DnsReading | None, rdap: RdapReading | None, verified_at: datetime | None
) -> None:
    known = case(status, dns=dns, rdap=rdap, previous=OPEN, verified_at=verified_at)
    has_any = bool({"undelegated", "inactive", "expiring", "deleting", "unknown"} & set(status.split()))
    assert verdict(known, Policy.PYPI) is (UNVERIFY if has_any else KEEP)
    assert {flag.value for flag in PYPI_FLAGS} == {"undelegated", "inactive", "expiring", "deleting", "unknown"}


@pytest.mark.parametrize("status", ["inactive", "parked", "expiring", "deleting", "parked active", "inactive active"])
@pytest.mark.parametrize(
    ("dns", "expected"),
    [
        (None, WATCH),
        (DNS_SILENT, WATCH),
        (replace(DNS_SILENT, mx=False), WATCH),
        (replace(WITH_MAIL, mx=None), WATCH),
        (WITH_MAIL, KEEP),
        (PARKED, KEEP),
        (WITHOUT_MAIL, UNVERIFY),
        # To the letter: an MX, not an address that mail would go to.
        (replace(WITHOUT_MAIL, address=True), UNVERIFY),
        (UNDELEGATED, UNVERIFY),
    ],
)
def test_rubygems_rule_knows_flags_and_mx(status: str, dns: DnsReading | None, expected: Verdict) -> None:
    decision = decide(case(status, rdap=SOUND, dns=dns), Policy.RUBYGEMS)
    assert decision.verdict is expected
    assert decision.witnesses == ((FLAGS, DNS) if expected is UNVERIFY else (FLAGS,))
    assert {flag.value for flag in RUBYGEMS_FLAGS} == {"inactive", "parked", "expiring", "deleting"}


@pytest.mark.parametrize("status", ["active", "undelegated", "unknown", "marketed", "undelegated active"])
def test_other_flags_are_nothing_to_rubygems(status: str) -> None:
    assert verdict(case(status, dns=UNDELEGATED), Policy.RUBYGEMS) is KEEP


@pytest.mark.parametrize("policy", [Policy.PYPI, Policy.RUBYGEMS])
def test_without_an_answer_the_published_rules_say_nothing(policy: Policy) -> None:
    decision = decide(case("", rdap=NOT_FOUND, dns=UNDELEGATED, previous=OPEN), policy)
    assert (decision.verdict, decision.witnesses, decision.is_renewed) == (WATCH, (), False)


@pytest.mark.parametrize("status", ["unknown", "undelegated", "undelegated active", "undelegated reserved", "deleting"])
def test_a_lapse_by_pypis_rule_is_one_lapse_until_the_rule_says_otherwise(status: str) -> None:
    first = decide(case(status, dns=WITH_MAIL), Policy.PYPI)
    assert (first.verdict, first.adverse_since) == (UNVERIFY, NOW)
    seen = History(phase=first.phase, adverse_since=BEGAN, lapsed_at=LAPSED)
    assert decide(case(status, dns=WITH_MAIL, previous=seen), Policy.PYPI).adverse_since == BEGAN
    over = decide(case("active", previous=seen), Policy.PYPI)
    assert (over.verdict, over.is_renewed, over.adverse_since) == (KEEP, True, None)
