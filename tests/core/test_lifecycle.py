from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.evidence import DnsReading, Flag, RdapReading
from lapsewatch.core.lifecycle import (
    ADVERSE,
    PHASE_OF_LEADING_FLAG,
    Case,
    History,
    Phase,
    Standing,
    Witness,
    is_mail_gone,
    mail_seen_at,
    phase_of,
    phase_of_record,
    standing,
)

from tests.core.cases import (
    DAY,
    DNS_SILENT,
    LONG_AGO,
    NOT_FOUND,
    NOW,
    PARKED,
    RDAP_SILENT,
    SECOND,
    UNDELEGATED,
    WITH_MAIL,
    WITHOUT_MAIL,
    case,
    cases,
    flag_lists,
    found,
    instants,
    records,
)

FLAGS, RDAP, DNS, PREVIOUS = Witness


# The flags


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("undelegated inactive", Phase.RELEASED),
        ("undelegated active", Phase.ACTIVE),
        ("unknown", Phase.UNKNOWN),
        ("inactive", Phase.RELEASED),
        ("undelegated", Phase.UNDELEGATED),
        ("marketed priced undelegated active", Phase.ACTIVE),
        ("undelegated inactive premium", Phase.RESERVED),
        ("undelegated active deleting", Phase.PENDING_DELETE),
        ("inactive active", Phase.ACTIVE),
        ("undelegated reserved", Phase.RESERVED),
        ("undelegated claimed", Phase.RESERVED),
        ("marketed priced deleting", Phase.PENDING_DELETE),
        ("undelegated active expiring", Phase.REDEMPTION),
        ("deleting expiring active parked", Phase.ACTIVE),
        ("", Phase.UNKNOWN),
    ],
)
def test_the_right_most_flag_leads(status: str, phase: Phase) -> None:
    assert standing(case(status)).phase is phase


@given(flag_lists, st.sampled_from(Flag))
def test_what_stands_before_the_leading_flag_changes_nothing(before: tuple[Flag, ...], leading: Flag) -> None:
    assert phase_of([*before, leading]) is phase_of([leading])


def test_every_flag_has_a_phase_and_only_three_are_adverse() -> None:
    assert PHASE_OF_LEADING_FLAG.keys() == set(Flag)
    adverse = {flag for flag, phase in PHASE_OF_LEADING_FLAG.items() if phase in ADVERSE}
    assert adverse == {Flag.INACTIVE, Flag.EXPIRING, Flag.DELETING}


# The registry


@pytest.mark.parametrize(
    ("statuses", "phase"),
    [
        ([], Phase.ACTIVE),
        (["active"], Phase.ACTIVE),
        (["client transfer prohibited", "server delete prohibited"], Phase.ACTIVE),
        # RFC 8056: no name servers are given, which is not the API's `inactive`.
        (["inactive"], Phase.ACTIVE),
        (["pending transfer", "add period"], Phase.ACTIVE),
        (["auto renew period"], Phase.EXPIRED),
        (["auto renew period", "client hold"], Phase.EXPIRED),
        (["auto renew period", "server hold", "client transfer prohibited"], Phase.EXPIRED),
        (["redemption period"], Phase.REDEMPTION),
        (["redemption period", "pending delete"], Phase.REDEMPTION),
        (["redemption period", "auto renew period"], Phase.REDEMPTION),
        (["pending restore"], Phase.REDEMPTION),
        (["pending restore", "pending delete", "redemption period"], Phase.REDEMPTION),
        (["pending delete"], Phase.PENDING_DELETE),
        (["pending delete", "client hold", "inactive"], Phase.PENDING_DELETE),
        (["client hold"], Phase.HELD),
        (["active", "server hold"], Phase.HELD),
        (["reserved"], Phase.RESERVED),
    ],
)
def test_what_the_registrys_statuses_say_in_any_order(statuses: list[str], phase: Phase) -> None:
    assert phase_of_record(found(*statuses)) is phase
    assert phase_of_record(found(*reversed(statuses))) is phase


def test_a_record_that_is_not_there_is_a_released_domain_and_silence_is_nothing() -> None:
    assert phase_of_record(NOT_FOUND) is Phase.RELEASED
    assert phase_of_record(RDAP_SILENT) is Phase.UNKNOWN
    assert phase_of_record(replace(RDAP_SILENT, status=("redemption period",))) is Phase.UNKNOWN
    assert phase_of_record(None) is Phase.UNKNOWN


@given(flag_lists, records, st.none() | st.sampled_from([WITH_MAIL, UNDELEGATED, DNS_SILENT]))
def test_the_registry_outranks_the_flags_and_dns(
    said: tuple[Flag, ...], record: RdapReading, dns: DnsReading | None
) -> None:
    record = replace(record, registered_at=None)
    known = phase_of_record(record)
    if known is not Phase.UNKNOWN:
        assert standing(Case(NOW, said, record, dns)).phase is known


@given(instants, instants, flag_lists)
def test_a_date_alone_proves_nothing(expires_at: datetime, changed_at: datetime, said: tuple[Flag, ...]) -> None:
    record = replace(found("active"), expires_at=expires_at, changed_at=changed_at)
    undated = replace(record, expires_at=None, changed_at=None)
    remembered = History(expires_at=expires_at)
    assert standing(Case(NOW, said, record, previous=remembered)) == standing(Case(NOW, said, undated))
    assert standing(Case(NOW, said, previous=remembered)) == standing(Case(NOW, said))


# DNS


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (case(), Standing(Phase.UNKNOWN)),
        (case("unknown", rdap=RDAP_SILENT, dns=DNS_SILENT), Standing(Phase.UNKNOWN)),
        (case("unknown", dns=WITH_MAIL), Standing(Phase.ACTIVE, (DNS,))),
        (case("unknown", dns=UNDELEGATED), Standing(Phase.UNDELEGATED, (DNS,))),
        (case("undelegated", dns=UNDELEGATED), Standing(Phase.UNDELEGATED, (FLAGS, DNS))),
        (case("undelegated", dns=WITH_MAIL), Standing(Phase.UNDELEGATED, (FLAGS,))),
        (case("undelegated", rdap=found("active"), dns=UNDELEGATED), Standing(Phase.ACTIVE, (RDAP,))),
    ],
)
def test_without_flags_and_registry_dns_tells_little(known: Case, expected: Standing) -> None:
    assert standing(known) == expected


@pytest.mark.parametrize(
    ("dns", "is_gone"),
    [
        (None, False),
        (DNS_SILENT, False),
        (replace(DNS_SILENT, mx=False, address=False), False),
        (WITH_MAIL, False),
        (WITHOUT_MAIL, True),
        (replace(WITHOUT_MAIL, mx=None), False),
        # Where there is no MX, mail goes to the address (RFC 5321, section 5.1).
        (replace(WITHOUT_MAIL, address=True), False),
        # The short shape that `lapsewatch decide` reads has no address.
        (replace(WITHOUT_MAIL, address=None), True),
        (PARKED, True),
        (replace(PARKED, nameservers=("ns1.sedoparking.com", "ns1.example.net")), False),
        (UNDELEGATED, True),
    ],
)
def test_when_mail_is_gone(dns: DnsReading | None, is_gone: bool) -> None:
    assert is_mail_gone(dns) is is_gone


# Witnesses


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (case("active", rdap=found("active"), dns=WITH_MAIL), Standing(Phase.ACTIVE, (FLAGS, RDAP, DNS))),
        (case("active"), Standing(Phase.ACTIVE, (FLAGS,))),
        (case("deleting", rdap=found("active")), Standing(Phase.ACTIVE, (RDAP,))),
        # Phases in which the owner has lost the domain agree with each other.
        (case("inactive", rdap=found("redemption period")), Standing(Phase.REDEMPTION, (FLAGS, RDAP))),
        (case("expiring", rdap=NOT_FOUND, dns=UNDELEGATED), Standing(Phase.RELEASED, (FLAGS, RDAP, DNS))),
        (case("deleting", rdap=RDAP_SILENT, dns=UNDELEGATED), Standing(Phase.PENDING_DELETE, (FLAGS, DNS))),
        (case("active", rdap=NOT_FOUND, dns=WITH_MAIL), Standing(Phase.RELEASED, (RDAP,))),
        # A parked domain is lost to its owner, but somebody has it.
        (case("expiring", dns=PARKED), Standing(Phase.REDEMPTION, (FLAGS, DNS))),
        (case("inactive", dns=PARKED), Standing(Phase.RELEASED, (FLAGS,))),
        (case("active", rdap=found("auto renew period"), dns=WITH_MAIL), Standing(Phase.EXPIRED, (RDAP,))),
        (case("expiring", rdap=found("auto renew period"), dns=PARKED), Standing(Phase.EXPIRED, (RDAP, DNS))),
        (case("active", rdap=found("client hold"), dns=UNDELEGATED), Standing(Phase.HELD, (RDAP, DNS))),
        (case("reserved", rdap=found("reserved"), dns=UNDELEGATED), Standing(Phase.RESERVED, (FLAGS, RDAP))),
    ],
)
def test_who_says_so(known: Case, expected: Standing) -> None:
    assert standing(known) == expected


@given(cases)
def test_whatever_is_known_somebody_says_it(known: Case) -> None:
    stands = standing(known)
    assert bool(stands.witnesses) is (stands.phase is not Phase.UNKNOWN)
    assert list(stands.witnesses) == [witness for witness in Witness if witness in stands.witnesses]


# Another registration

MADE = NOW - 10 * DAY
ANEW = found("active", registered_at=MADE)


@pytest.mark.parametrize(
    ("verified_at", "phase"),
    [
        (None, Phase.ACTIVE),
        (MADE - SECOND, Phase.REREGISTERED),
        (MADE, Phase.ACTIVE),
        (MADE + SECOND, Phase.ACTIVE),
    ],
)
def test_a_registration_strictly_later_than_the_verification(verified_at: datetime | None, phase: Phase) -> None:
    assert standing(case("active", rdap=ANEW, verified_at=verified_at)).phase is phase


@pytest.mark.parametrize(
    ("previous", "phase"),
    [
        (History(), Phase.ACTIVE),
        (History(adverse_since=MADE - SECOND), Phase.REREGISTERED),
        (History(adverse_since=MADE), Phase.ACTIVE),
        (History(lapsed_at=MADE - SECOND), Phase.REREGISTERED),
        # A lapse that was inferred from a registration is dated by it.
        (History(lapsed_at=MADE), Phase.REREGISTERED),
        # A registry that gives the day only dates a registration before the lapse that it ended.
        (History(lapsed_at=MADE + DAY), Phase.REREGISTERED),
        (History(lapsed_at=MADE + DAY + SECOND), Phase.ACTIVE),
        (History(lapsed_at=MADE + SECOND, registered_at=MADE, registry_seen_at=MADE), Phase.ACTIVE),
        (History(registered_at=LONG_AGO, registry_seen_at=MADE - SECOND), Phase.REREGISTERED),
        # The registry has corrected a date that was already there when it was last read.
        (History(registered_at=LONG_AGO, registry_seen_at=MADE), Phase.ACTIVE),
        (History(registered_at=MADE, registry_seen_at=MADE - DAY), Phase.ACTIVE),
        (History(registered_at=LONG_AGO), Phase.ACTIVE),
        (History(registry_seen_at=MADE - SECOND), Phase.ACTIVE),
    ],
)
def test_a_registration_later_than_what_was_known(previous: History, phase: Phase) -> None:
    stands = standing(case("active", rdap=ANEW, previous=previous))
    assert stands.phase is phase
    if phase is Phase.REREGISTERED:
        assert stands.witnesses == (RDAP, PREVIOUS)


@pytest.mark.parametrize("status", ["", "unknown", "undelegated", "deleting", "inactive"])
def test_the_registrys_date_needs_no_flags(status: str) -> None:
    known = case(status, rdap=ANEW, verified_at=MADE - DAY)
    assert standing(known) == Standing(Phase.REREGISTERED, (RDAP,))


def test_a_date_in_the_future_is_ignored() -> None:
    tomorrow = found("active", registered_at=NOW + SECOND)
    lapsed = History(adverse_since=NOW - DAY, lapsed_at=NOW - DAY, registered_at=LONG_AGO, registry_seen_at=LONG_AGO)
    assert standing(case("active", rdap=tomorrow, previous=lapsed, verified_at=LONG_AGO)).phase is Phase.ACTIVE
    remembered = replace(lapsed, registered_at=NOW + SECOND)
    assert standing(case("active", previous=remembered, verified_at=LONG_AGO)).phase is Phase.ACTIVE


@pytest.mark.parametrize("status", ["redemption period", "pending delete"])
def test_a_domain_that_lapses_again_is_told_by_its_new_lapse(status: str) -> None:
    record = found(status, registered_at=MADE)
    assert standing(case(rdap=record, verified_at=MADE - DAY, previous=History(lapsed_at=MADE))).phase in ADVERSE


REMEMBERED = History(phase=Phase.REREGISTERED, lapsed_at=MADE - DAY, registered_at=MADE)


BEFORE = NOW - 20 * DAY


@pytest.mark.parametrize(
    ("dns", "status", "before", "seen_at"),
    [
        (WITH_MAIL, "active", None, NOW),
        (WITH_MAIL, "active", BEFORE, NOW),
        (WITH_MAIL, "auto renew period", BEFORE, NOW),
        # Mail that begins in grace is the registrar's doing.
        (WITH_MAIL, "auto renew period", None, None),
        (PARKED, "active", BEFORE, BEFORE),
        (PARKED, "active", None, None),
        (WITHOUT_MAIL, "active", BEFORE, BEFORE),
        (replace(WITHOUT_MAIL, address=True), "active", None, NOW),
        (replace(WITHOUT_MAIL, mx=None, address=None), "active", None, None),
        (UNDELEGATED, "active", BEFORE, BEFORE),
        (DNS_SILENT, "active", BEFORE, BEFORE),
        (None, "active", BEFORE, BEFORE),
    ],
)
def test_when_mail_was_last_seen(
    dns: DnsReading | None, status: str, before: datetime | None, seen_at: datetime | None
) -> None:
    assert mail_seen_at(case(rdap=found(status), dns=dns, previous=History(mail_seen_at=before))) == seen_at


@pytest.mark.parametrize(
    ("known", "phase"),
    [
        (case("active", previous=REMEMBERED), Phase.REREGISTERED),
        (case("active", rdap=RDAP_SILENT, previous=REMEMBERED), Phase.REREGISTERED),
        (case("active", rdap=found(registered_at=None), previous=REMEMBERED), Phase.REREGISTERED),
        (case("active", previous=replace(REMEMBERED, registered_at=MADE - DAY)), Phase.REREGISTERED),
        (case("active", previous=replace(REMEMBERED, registered_at=MADE - DAY - SECOND)), Phase.REREGISTERED),
        (case("active", previous=replace(REMEMBERED, registered_at=LONG_AGO, phase=Phase.ACTIVE)), Phase.ACTIVE),
        # What was released can only be registered anew, also where no registry tells a date.
        (case("active", previous=History(phase=Phase.RELEASED, lapsed_at=MADE)), Phase.REREGISTERED),
        # A check that asks the registry alone, of one that gives no dates.
        (
            case(rdap=found(registered_at=None), previous=History(phase=Phase.RELEASED, lapsed_at=MADE)),
            Phase.REREGISTERED,
        ),
        (
            case("expiring", rdap=found(registered_at=None), previous=History(phase=Phase.RELEASED, lapsed_at=MADE)),
            Phase.ACTIVE,
        ),
        (case("active", previous=History(phase=Phase.REREGISTERED, lapsed_at=MADE)), Phase.REREGISTERED),
        (case("active", previous=History(phase=Phase.RELEASED, adverse_since=MADE)), Phase.ACTIVE),
        (case("active", previous=History(phase=Phase.REDEMPTION, lapsed_at=MADE)), Phase.ACTIVE),
        (case("active", previous=replace(REMEMBERED, lapsed_at=None)), Phase.ACTIVE),
        # Without a lapse, a registration later than the verification is as good.
        (case("active", previous=replace(REMEMBERED, lapsed_at=None), verified_at=MADE - SECOND), Phase.REREGISTERED),
        (case("active", previous=replace(REMEMBERED, lapsed_at=None), verified_at=MADE), Phase.ACTIVE),
        (case("unknown", previous=REMEMBERED), Phase.UNKNOWN),
        (case("", dns=WITH_MAIL, previous=REMEMBERED), Phase.ACTIVE),
        (case("deleting", previous=REMEMBERED), Phase.PENDING_DELETE),
    ],
)
def test_a_change_of_hands_is_remembered_where_the_registry_is_silent(known: Case, phase: Phase) -> None:
    stands = standing(known)
    assert stands.phase is phase
    if phase is Phase.REREGISTERED:
        assert stands.witnesses == (PREVIOUS,)


@pytest.mark.parametrize("phase", [Phase.EXPIRED, Phase.HELD, Phase.REDEMPTION, Phase.PENDING_DELETE])
@pytest.mark.parametrize("record", [None, RDAP_SILENT])
def test_what_only_the_registry_can_tell_is_not_over_because_it_is_silent(
    phase: Phase, record: RdapReading | None
) -> None:
    seen = History(phase=phase, registered_at=LONG_AGO, registry_seen_at=NOW - DAY)
    assert standing(case("active", rdap=record, previous=seen)) == Standing(phase, (PREVIOUS,))
    # Where no registry ever spoke, or the flags tell of another phase, that counts.
    assert standing(case("active", rdap=record, previous=History(phase=phase))).phase is Phase.ACTIVE
    assert standing(case("deleting", rdap=record, previous=seen)).phase is Phase.PENDING_DELETE
