"""Cases to decide on: a short way to write them, and hypothesis strategies for all of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from lapsewatch.core.evidence import (
    DnsOutcome,
    DnsReading,
    Flag,
    NoEvidenceReason,
    RdapOutcome,
    RdapReading,
    read_flags,
)
from lapsewatch.core.lifecycle import PHASE_OF_LEADING_FLAG, PHASE_OF_RDAP_STATUS, Case, History, Phase, Witness
from lapsewatch.core.policy import Policy, Verdict, decide

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOTHING = History()
LONG_AGO = NOW - 900 * DAY

# The flags that PyPI's first assessment met (warehouse, pull request 18055), with the number of addresses.
MET_BY_PYPI = {
    "undelegated inactive": 1091,
    "undelegated active": 236,
    "unknown": 87,
    "inactive": 24,
    "undelegated": 14,
    "marketed priced undelegated active": 13,
    "undelegated inactive premium": 8,
    "undelegated active deleting": 6,
    "inactive active": 4,
    "undelegated reserved": 3,
    "undelegated claimed": 3,
    "marketed priced deleting": 2,
}


def flags(status: str) -> tuple[Flag, ...]:
    return read_flags(status) or ()


def found(*status: str, registered_at: datetime | None = LONG_AGO, expires_at: datetime | None = None) -> RdapReading:
    return RdapReading(RdapOutcome.FOUND, status=status, registered_at=registered_at, expires_at=expires_at)


NOT_FOUND = RdapReading(RdapOutcome.NOT_FOUND)
RDAP_SILENT = RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVER_ERROR)

WITH_MAIL = DnsReading(DnsOutcome.DELEGATED, ("ns1.example.net",), mx=True, address=True)
WITHOUT_MAIL = DnsReading(DnsOutcome.DELEGATED, ("ns1.example.net",), mx=False, address=False)
PARKED = DnsReading(DnsOutcome.DELEGATED, ("ns1.sedoparking.com", "ns2.sedoparking.com"), mx=True, address=True)
UNDELEGATED = DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False)
DNS_SILENT = DnsReading(DnsOutcome.NO_EVIDENCE, reason=NoEvidenceReason.TIMEOUT)


def case(
    status: str = "",
    *,
    rdap: RdapReading | None = None,
    dns: DnsReading | None = None,
    previous: History = NOTHING,
    verified_at: datetime | None = None,
) -> Case:
    return Case(NOW, flags(status), rdap, dns, previous, verified_at)


def read_adverse(since: datetime, phase: Phase = Phase.REDEMPTION, lapsed_at: datetime | None = None) -> History:
    return History(phase=phase, adverse_since=since, lapsed_at=lapsed_at)


def verdict(known: Case, policy: Policy = Policy.CORROBORATED) -> Verdict:
    return decide(known, policy).verdict


FLAGS, RDAP, DNS, PREVIOUS = Witness
KEEP, WATCH, UNVERIFY = Verdict

SOUND = found("active")
IN_GRACE = found("auto renew period")
IN_REDEMPTION = found("redemption period", "pending delete")
MAIL_BEFORE = History(phase=Phase.EXPIRED, expired_since=NOW - 38 * DAY, mail_seen_at=NOW - 40 * DAY)

BEGAN, LAPSED = NOW - 6 * DAY, NOW - 5 * DAY
OPEN = read_adverse(BEGAN, lapsed_at=LAPSED)


# Near to each other, so that any order of two is often tried, and their being the same; and a few far away.
instants = st.one_of(
    st.integers(-6, 4).map(lambda halves: NOW + halves * DAY / 2),
    st.datetimes(timezones=st.just(UTC)),
)
flag_lists = st.lists(st.sampled_from(Flag), max_size=4).map(tuple)
adverse_flags = flag_lists.flatmap(
    lambda before: st.sampled_from([Flag.INACTIVE, Flag.EXPIRING, Flag.DELETING]).map(lambda last: (*before, last))
)
silent_flags = st.one_of(
    st.just(()),
    flag_lists.flatmap(
        lambda before: st.sampled_from(
            [flag for flag, phase in PHASE_OF_LEADING_FLAG.items() if phase is Phase.UNKNOWN]
        ).map(lambda last: (*before, last))
    ),
)
statuses = st.lists(
    st.sampled_from([*PHASE_OF_RDAP_STATUS, "active", "inactive", "client transfer prohibited"]),
    max_size=3,
    unique=True,
).map(tuple)
adverse_statuses = st.sampled_from(
    [
        ("redemption period",),
        ("pending delete",),
        ("redemption period", "pending delete"),
        ("client hold", "auto renew period", "pending delete"),
    ]
)
records = st.builds(
    RdapReading,
    st.sampled_from(RdapOutcome),
    status=statuses,
    registered_at=st.none() | instants,
    expires_at=st.none() | instants,
    changed_at=st.none() | instants,
    nameservers=st.sampled_from([(), ("ns1.example.net",)]),
    reason=st.none() | st.sampled_from(NoEvidenceReason),
)
silent_records = st.none() | records.map(lambda record: replace(record, outcome=RdapOutcome.NO_EVIDENCE))
dns_readings = st.builds(
    DnsReading,
    st.sampled_from(DnsOutcome),
    nameservers=st.sampled_from(
        [(), ("ns1.example.net",), ("ns1.sedoparking.com",), ("ns1.bodis.com", "ns1.example.net")]
    ),
    mx=st.none() | st.booleans(),
    address=st.none() | st.booleans(),
    reason=st.none() | st.sampled_from(NoEvidenceReason),
)
silent_dns = st.none() | dns_readings.map(lambda reading: replace(reading, outcome=DnsOutcome.NO_EVIDENCE))
histories = st.builds(
    History,
    phase=st.none() | st.sampled_from(Phase),
    adverse_since=st.none() | instants,
    lapsed_at=st.none() | instants,
    registered_at=st.none() | instants,
    registry_seen_at=st.none() | instants,
    expires_at=st.none() | instants,
    expired_since=st.none() | instants,
    mail_seen_at=st.none() | instants,
)
cases = st.builds(
    Case,
    st.just(NOW),
    flags=flag_lists | adverse_flags,
    rdap=st.none() | records,
    dns=st.none() | dns_readings,
    previous=histories,
    verified_at=st.none() | instants,
)
