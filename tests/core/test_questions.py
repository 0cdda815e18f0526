from dataclasses import replace

import pytest
from hypothesis import given
from lapsewatch.core.lifecycle import Case, History, Phase
from lapsewatch.core.policy import Policy, Verdict, decide
from lapsewatch.core.questions import MAX_RECORD_AGE, Need, need_of, wants_dns, wants_registry

from tests.core.cases import DAY, LONG_AGO, NOT_FOUND, NOW, RDAP_SILENT, SECOND, case, cases, found

SEEN = NOW - 10 * DAY
WELL = History(phase=Phase.ACTIVE, registered_at=LONG_AGO, registry_seen_at=SEEN)

DOUBTFUL = [phase for phase in Phase if phase not in {Phase.ACTIVE, Phase.UNKNOWN}]


@pytest.mark.parametrize(
    ("status", "previous", "need"),
    [
        ("active", WELL, None),
        ("undelegated active", WELL, None),
        ("active", replace(WELL, phase=None), None),
        ("active", replace(WELL, phase=Phase.UNKNOWN), None),
        # The flags leave a doubt.
        ("", WELL, Need.DOUBT),
        ("unknown", WELL, Need.DOUBT),
        ("undelegated", WELL, Need.DOUBT),
        ("deleting", WELL, Need.DOUBT),
        ("undelegated inactive", WELL, Need.DOUBT),
        ("reserved", WELL, Need.DOUBT),
        # What was known leaves one.
        ("active", replace(WELL, lapsed_at=SEEN), Need.DOUBT),
        ("active", replace(WELL, adverse_since=SEEN), Need.DOUBT),
        *(
            ("active", replace(WELL, phase=phase), Need.DOUBT)
            for phase in Phase
            if phase not in {Phase.ACTIVE, Phase.UNKNOWN}
        ),
        # A date is wanted.
        ("active", History(), Need.DATE),
        ("active", replace(WELL, registry_seen_at=NOW - MAX_RECORD_AGE), None),
        ("active", replace(WELL, registry_seen_at=NOW - MAX_RECORD_AGE - SECOND), Need.DATE),
        ("active", replace(WELL, expires_at=NOW), Need.DOUBT),
        ("active", replace(WELL, expires_at=NOW + SECOND), None),
        ("active", replace(WELL, expires_at=SEEN + SECOND), Need.DOUBT),
        # The registry has been asked since its date came.
        ("active", replace(WELL, expires_at=SEEN), None),
    ],
)
def test_when_more_is_asked_than_the_status_api(status: str, previous: History, need: Need | None) -> None:
    assert need_of(case(status, previous=previous), Policy.CORROBORATED) is need


@pytest.mark.parametrize("status", ["", "unknown", "active", "deleting", "undelegated inactive"])
def test_the_policy_pypi_asks_nobody_else(status: str) -> None:
    assert need_of(case(status), Policy.PYPI) is None
    assert not wants_dns(case(status), Policy.PYPI)


@pytest.mark.parametrize(
    ("status", "asks"),
    [("", False), ("active", False), ("unknown", False), ("undelegated", False), ("parked active", True)]
    + [(status, True) for status in ("inactive", "parked", "expiring", "deleting", "inactive active")],
)
def test_the_policy_rubygems_asks_dns_where_a_flag_counts(status: str, asks: bool) -> None:
    assert (need_of(case(status), Policy.RUBYGEMS) is Need.DOUBT) is asks
    assert wants_dns(case(status), Policy.RUBYGEMS) is asks


def test_only_our_policy_listens_to_the_registry() -> None:
    assert [policy for policy in Policy if wants_registry(policy)] == [Policy.CORROBORATED]


@pytest.mark.parametrize(
    ("known", "asks"),
    [
        (case("deleting"), True),
        (case("inactive", rdap=RDAP_SILENT), True),
        (case("active", rdap=NOT_FOUND), True),
        (case("active", rdap=found("auto renew period")), True),
        (case("active", rdap=found("auto renew period"), previous=History(lapsed_at=LONG_AGO)), True),
        (case("active", rdap=found("active")), False),
        (case("deleting", rdap=found("active")), False),
        (case("unknown", rdap=RDAP_SILENT), False),
        (case("undelegated", rdap=RDAP_SILENT), False),
        (case("active", rdap=found("client hold")), False),
        (case("active", rdap=found("active", registered_at=NOW), verified_at=LONG_AGO), False),
    ],
)
def test_dns_is_asked_where_it_could_settle_something(known: Case, asks: bool) -> None:
    assert wants_dns(known, Policy.CORROBORATED) is asks


@given(cases)
def test_where_nothing_more_is_asked_nobody_is_unverified(known: Case) -> None:
    alone = replace(known, rdap=None, dns=None, verified_at=None)
    if need_of(alone, Policy.CORROBORATED) is None:
        assert decide(alone).verdict is not Verdict.UNVERIFY
        assert not wants_dns(alone, Policy.CORROBORATED)
