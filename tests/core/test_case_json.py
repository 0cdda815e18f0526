import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.case_json import BadCase, as_json, read_case, read_dns, read_history, read_rdap
from lapsewatch.core.evidence import DnsOutcome, DnsReading, Flag, NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.lifecycle import Case, History, Phase

from tests.core.cases import NOW, cases, dns_readings, histories, records

WHOLE = {
    "domain": "example.com",
    "flags": ["undelegated", "inactive"],
    "rdap": {
        "outcome": "found",
        "status": ["Redemption Period", "pending delete"],
        "registered_at": "2020-05-01T00:00:00Z",
        "expires_at": "2026-10-01T02:00:00+02:00",
        "changed_at": "2026-10-02",
        "registrar": "A Registrar",
        "nameservers": ["NS1.example.net"],
        "reason": None,
    },
    "dns": {
        "outcome": "no_evidence",
        "nameservers": [],
        "mx": None,
        "address": False,
        "reason": "servfail",
    },
    "previous": {
        "phase": "expired",
        "adverse_since": "2026-11-01T00:00:00",
        "lapsed_at": "2026-11-02T00:00:00Z",
        "registered_at": None,
        "registry_seen_at": "2026-09-01T00:00:00Z",
        "expires_at": "2026-10-01T00:00:00Z",
    },
    "address": {"verified_at": "2024-01-01T00:00:00Z"},
    "now": "2026-11-03T00:00:00Z",
}


def day(*date: int) -> datetime:
    return datetime(*date, tzinfo=UTC)  # type: ignore[arg-type]


def test_a_whole_case_is_read() -> None:
    assert read_case(WHOLE, NOW) == Case(
        now=day(2026, 11, 3),
        flags=(Flag.UNDELEGATED, Flag.INACTIVE),
        rdap=RdapReading(
            RdapOutcome.FOUND,
            status=("redemption period", "pending delete"),
            registered_at=day(2020, 5, 1),
            expires_at=day(2026, 10, 1),
            changed_at=day(2026, 10, 2),
            registrar="A Registrar",
            nameservers=("ns1.example.net",),
        ),
        dns=DnsReading(DnsOutcome.NO_EVIDENCE, address=False, reason=NoEvidenceReason.SERVFAIL),
        previous=History(
            phase=Phase.EXPIRED,
            adverse_since=day(2026, 11, 1),
            lapsed_at=day(2026, 11, 2),
            registry_seen_at=day(2026, 9, 1),
            expires_at=day(2026, 10, 1),
        ),
        verified_at=day(2024, 1, 1),
    )


@pytest.mark.parametrize(
    "given_case",
    [{}, {"domain": "example.com"}, dict.fromkeys(WHOLE), {"flags": [], "previous": {}, "address": {}}],
)
def test_whatever_may_be_missing_may_be_null(given_case: dict[str, Any]) -> None:
    assert read_case(given_case, NOW) == Case(now=NOW)


# The way back


@given(records)
def test_a_registrys_reading_comes_back(reading: RdapReading) -> None:
    assert read_rdap(json.loads(json.dumps(as_json(reading)))) == reading


@given(dns_readings)
def test_a_reading_of_dns_comes_back(reading: DnsReading) -> None:
    assert read_dns(json.loads(json.dumps(as_json(reading)))) == reading


@given(histories)
def test_a_history_comes_back(history: History) -> None:
    assert read_history(json.loads(json.dumps(as_json(history)))) == history


@given(cases)
def test_a_whole_case_comes_back(known: Case) -> None:
    written = {
        "domain": "example.com",
        "flags": list(known.flags),
        "rdap": as_json(known.rdap) if known.rdap else None,
        "dns": as_json(known.dns) if known.dns else None,
        "previous": as_json(known.previous),
        "address": {"verified_at": known.verified_at.isoformat() if known.verified_at else None},
        "now": known.now.isoformat(),
    }
    assert read_case(json.loads(json.dumps(written)), day(2000, 1, 1)) == known


def test_what_is_missing_is_left_out() -> None:
    assert as_json(RdapReading(RdapOutcome.NOT_FOUND)) == {"outcome": "not_found"}
    assert as_json(DnsReading(DnsOutcome.DELEGATED, mx=False)) == {"outcome": "delegated", "mx": False}
    assert as_json(History()) == {}


# What is no case

TIME = "is not a time such as 2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"flag": ["active"]}, "the case has no 'flag': it has address, dns, domain, flags, now, previous, rdap"),
        ({"flags": "active"}, "flags is not a list"),
        ({"flags": {"active": True}}, "flags is not a list"),
        ({"flags": ["active", "expired"]}, "flags: 'expired' is not one of unknown, undelegated, inactive,"),
        ({"flags": ["Active"]}, "flags: 'Active' is not one of"),
        ({"flags": [None]}, "flags: what is given is not one of"),
        ({"flags": [["active"]]}, "flags: what is given is not one of"),
        ({"flags": [1]}, "flags: what is given is not one of"),
        ({"rdap": []}, "rdap is not an object"),
        ({"rdap": "found"}, "rdap is not an object"),
        ({"rdap": {"outcome": "missing"}}, "rdap.outcome: 'missing' is not one of found, not_found, no_evidence"),
        ({"rdap": {"outcome": "delegated"}}, "rdap.outcome: 'delegated' is not one of"),
        ({"rdap": {"outcome": "found", "statuses": []}}, "rdap has no 'statuses': it has changed_at, expires_at,"),
        ({"rdap": {"outcome": "found", "status": "active"}}, "rdap.status is not a list"),
        ({"rdap": {"outcome": "found", "status": [1]}}, "rdap.status is not a list of words"),
        ({"rdap": {"outcome": "found", "nameservers": [None]}}, "rdap.nameservers is not a list of words"),
        ({"rdap": {"outcome": "found", "registered_at": "yesterday"}}, f"rdap.registered_at {TIME}"),
        ({"rdap": {"outcome": "found", "expires_at": ""}}, f"rdap.expires_at {TIME}"),
        ({"rdap": {"outcome": "found", "changed_at": 1762000000}}, "rdap.changed_at is not a text"),
        ({"rdap": {"outcome": "found", "registrar": ["A"]}}, "rdap.registrar is not a text"),
        ({"rdap": {"outcome": "no_evidence", "reason": "tired"}}, "rdap.reason: 'tired' is not one of timeout,"),
        ({"dns": True}, "dns is not an object"),
        ({"dns": {"outcome": "nxdomain"}}, "dns.outcome: 'nxdomain' is not one of delegated, not_delegated, no_evide"),
        ({"dns": {"outcome": "delegated", "mx": "false"}}, "dns.mx is not true, false or null"),
        ({"dns": {"outcome": "delegated", "mx": 0}}, "dns.mx is not true, false or null"),
        ({"dns": {"outcome": "delegated", "address": []}}, "dns.address is not true, false or null"),
        (
            {"dns": {"outcome": "delegated", "a": True}},
            "dns has no 'a': it has address, denial, mx, nameservers, outcome, re",
        ),
        ({"dns": {"outcome": "delegated", "nameservers": "ns1"}}, "dns.nameservers is not a list"),
        ({"dns": {"outcome": "no_evidence", "reason": 1}}, "dns.reason: what is given is not one of"),
        ({"previous": "expired"}, "previous is not an object"),
        ({"previous": {"phase": "lapsed"}}, "previous.phase: 'lapsed' is not one of active, expired, redemption,"),
        ({"previous": {"adverse_since": False}}, "previous.adverse_since is not a text"),
        ({"previous": {"lapsed_at": "2026-13-01"}}, f"previous.lapsed_at {TIME}"),
        ({"previous": {"registry_seen_at": "0001-01-01T00:00:00+23:00"}}, f"previous.registry_seen_at {TIME}"),
        ({"previous": {"since": None}}, "previous has no 'since': it has adverse_since, expired_since, expires_at,"),
        ({"address": "someone"}, "address is not an object"),
        ({"address": {"verified": "2026-01-01"}}, "address has no 'verified': it has verified_at"),
        ({"address": {"verified_at": []}}, "address.verified_at is not a text"),
        ({"now": "now"}, f"now {TIME}"),
        ({"now": {}}, "now is not a text"),
    ],
)
def test_the_message_names_the_key(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(BadCase) as raised:
        read_case(bad, NOW)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("not_a_case", [None, [], ["flags"], "flags", 1, True, [[1]]])
def test_what_is_no_object_is_no_case(not_a_case: Any) -> None:
    with pytest.raises(BadCase, match="the case is not an object"):
        read_case(not_a_case, NOW)


@pytest.mark.parametrize(
    "bad",
    [
        {"flags": ["someone@example.com"]},
        {"someone@example.com": None},
        {"address": {"someone@example.com": "2026-01-01"}},
        {"address": {"verified_at": "someone@example.com"}},
        {"previous": {"phase": "someone@example.com"}},
        {"flags": [f"{'long ' * 1000}someone@example.com"]},
        {"now": "someone@example.com"},
    ],
)
def test_a_message_quotes_no_address_and_stays_short(bad: dict[str, Any]) -> None:
    with pytest.raises(BadCase) as raised:
        read_case(bad, NOW)
    assert "someone" not in str(raised.value)
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["found", "delegated", "2026-11-01", "redemption period", "active"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from([*WHOLE, "outcome", "status", "registered_at", "mx", "phase", "adverse_since"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(values | st.fixed_dictionaries({}, optional=dict.fromkeys(WHOLE, values)))
def test_any_json_is_a_case_or_a_bad_one(given_json: Any) -> None:
    with suppress(BadCase):
        assert isinstance(read_case(given_json, NOW), Case)


@pytest.mark.parametrize(
    "given", [{"rdap": {}, "dns": {}}, {"rdap": {"status": ["redemption period"]}, "dns": {"mx": False}}]
)
def test_who_does_not_say_what_came_of_the_question_was_not_heard(given: dict[str, Any]) -> None:
    read = read_case(given, NOW)
    assert read.rdap is not None
    assert read.rdap.outcome is RdapOutcome.NO_EVIDENCE
    assert read.dns is not None
    assert read.dns.outcome is DnsOutcome.NO_EVIDENCE
