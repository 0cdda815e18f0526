"""An adverse reading wants a second witness, or to have stood for a day, and nobody who contradicts it."""

from dataclasses import replace

import pytest
from lapsewatch.core.evidence import DnsReading
from lapsewatch.core.lifecycle import Case, History, Phase, Witness
from lapsewatch.core.policy import SECOND_READING_AFTER, Verdict, decide

from tests.core.cases import (
    DAY,
    DNS,
    DNS_SILENT,
    FLAGS,
    IN_REDEMPTION,
    LONG_AGO,
    NOT_FOUND,
    NOTHING,
    NOW,
    PARKED,
    PREVIOUS,
    RDAP,
    RDAP_SILENT,
    SECOND,
    SOUND,
    UNDELEGATED,
    UNVERIFY,
    WATCH,
    WITH_MAIL,
    WITHOUT_MAIL,
    case,
    flags,
    found,
    read_adverse,
    verdict,
)


@pytest.mark.parametrize(
    ("known", "expected", "witnesses"),
    [
        (case("deleting"), WATCH, (FLAGS,)),
        (case("deleting", rdap=found("pending delete")), UNVERIFY, (FLAGS, RDAP)),
        (case("deleting", rdap=IN_REDEMPTION, dns=WITH_MAIL), UNVERIFY, (FLAGS, RDAP)),
        (case("deleting", rdap=RDAP_SILENT, dns=UNDELEGATED), UNVERIFY, (FLAGS, DNS)),
        (case("inactive", rdap=NOT_FOUND, dns=UNDELEGATED), UNVERIFY, (FLAGS, RDAP, DNS)),
        # A registry that outranks the flags is a witness like any other, not two.
        (case("active", rdap=NOT_FOUND), WATCH, (RDAP,)),
        (case("active", rdap=IN_REDEMPTION), WATCH, (RDAP,)),
        (case("active", rdap=NOT_FOUND, dns=UNDELEGATED), UNVERIFY, (RDAP, DNS)),
        (case("", rdap=NOT_FOUND), WATCH, (RDAP,)),
        (case("", rdap=NOT_FOUND, dns=UNDELEGATED), UNVERIFY, (RDAP, DNS)),
        (case("", rdap=NOT_FOUND, dns=DNS_SILENT), WATCH, (RDAP,)),
        (case("", rdap=NOT_FOUND, dns=WITH_MAIL), WATCH, (RDAP,)),
        # Mail that is gone agrees with a domain that its owner is losing, not with one that nobody has.
        (case("expiring", dns=PARKED), UNVERIFY, (FLAGS, DNS)),
        (case("active", rdap=IN_REDEMPTION, dns=PARKED), UNVERIFY, (RDAP, DNS)),
        (case("active", rdap=IN_REDEMPTION, dns=WITHOUT_MAIL), UNVERIFY, (RDAP, DNS)),
        (case("inactive", dns=PARKED), WATCH, (FLAGS,)),
        (case("", rdap=NOT_FOUND, dns=PARKED), WATCH, (RDAP,)),
        (case("", dns=UNDELEGATED), WATCH, (DNS,)),
        (case("undelegated", dns=UNDELEGATED), WATCH, (FLAGS, DNS)),
    ],
)
def test_an_adverse_reading_wants_a_second_witness(
    known: Case, expected: Verdict, witnesses: tuple[Witness, ...]
) -> None:
    decision = decide(known)
    assert (decision.verdict, decision.witnesses) == (expected, witnesses)


@pytest.mark.parametrize(
    ("stood", "expected"),
    [
        (0 * DAY, WATCH),
        (SECOND_READING_AFTER - SECOND, WATCH),
        (SECOND_READING_AFTER, UNVERIFY),
        (SECOND_READING_AFTER + SECOND, UNVERIFY),
        (40 * DAY, UNVERIFY),
        (-DAY, WATCH),
    ],
)
@pytest.mark.parametrize("known", [case("deleting"), case("inactive", rdap=RDAP_SILENT, dns=DNS_SILENT)])
def test_the_same_reading_a_day_later_is_the_last_resort(known: Case, stood: object, expected: Verdict) -> None:
    decision = decide(replace(known, previous=read_adverse(NOW - stood)))  # type: ignore[operator]
    assert decision.verdict is expected
    assert decision.witnesses == ((FLAGS, PREVIOUS) if expected is UNVERIFY else (FLAGS,))


@pytest.mark.parametrize("phase", [None, *Phase])
def test_only_an_earlier_adverse_reading_is_the_same(phase: Phase | None) -> None:
    known = case("deleting", previous=History(phase=phase, adverse_since=NOW - 3 * DAY))
    is_adverse = phase in {Phase.REDEMPTION, Phase.PENDING_DELETE, Phase.RELEASED}
    assert (verdict(known) is UNVERIFY) is is_adverse


@pytest.mark.parametrize(
    ("known", "doubter"),
    [
        (case("inactive", dns=WITH_MAIL), "DNS"),
        (case("expiring", dns=WITH_MAIL), "DNS"),
        (case("undelegated active", rdap=NOT_FOUND), "the status API"),
        (case("active", rdap=NOT_FOUND, dns=DNS_SILENT), "the status API"),
        (case("active", rdap=NOT_FOUND, dns=WITH_MAIL), "DNS"),
    ],
)
def test_a_lonely_witness_who_is_contradicted_is_not_believed_however_long(known: Case, doubter: str) -> None:
    decision = decide(replace(known, previous=read_adverse(NOW - 30 * DAY)))
    assert decision.verdict is WATCH
    assert f"but not {doubter}:" in decision.reason


def test_a_registry_that_says_redemption_for_a_day_is_believed_while_dns_still_delegates() -> None:
    known = case("active", rdap=IN_REDEMPTION, dns=WITH_MAIL)
    first = decide(known)
    assert (first.verdict, first.adverse_since) == (WATCH, NOW)
    assert verdict(replace(known, previous=read_adverse(NOW - DAY))) is UNVERIFY


@pytest.mark.parametrize("phase", [Phase.EXPIRED, Phase.HELD, Phase.REDEMPTION, Phase.PENDING_DELETE])
@pytest.mark.parametrize("dns", [None, WITH_MAIL, UNDELEGATED, DNS_SILENT])
def test_while_the_registry_is_silent_what_it_said_is_watched(phase: Phase, dns: DnsReading | None) -> None:
    since = NOW - 9 * DAY
    seen = History(phase=phase, adverse_since=since, registered_at=LONG_AGO, registry_seen_at=NOW - DAY)
    decision = decide(case("active", rdap=RDAP_SILENT, dns=dns, previous=seen))
    assert (decision.phase, decision.verdict, decision.adverse_since) == (phase, WATCH, since)
    assert "silent" in decision.reason


def test_a_date_that_has_come_is_watched_until_the_registry_is_heard() -> None:
    seen = History(phase=Phase.ACTIVE, registered_at=LONG_AGO, registry_seen_at=NOW - 9 * DAY, expires_at=NOW - DAY)
    assert verdict(case("active", previous=seen)) is WATCH
    assert verdict(case("active", rdap=RDAP_SILENT, previous=seen)) is WATCH
    assert verdict(case("active", rdap=SOUND, previous=seen)) is Verdict.KEEP


def test_a_registry_that_disagrees_outranks_the_flags() -> None:
    decision = decide(case("deleting", rdap=SOUND, dns=WITH_MAIL, previous=read_adverse(NOW - 30 * DAY)))
    assert decision.verdict is WATCH
    assert "say the registry and DNS, but not the status API" in decision.reason
    alone = decide(case("deleting", rdap=SOUND))
    assert "says the registry, but not the status API" in alone.reason


def test_an_outage_that_takes_the_only_objection_away_unverifies_nobody() -> None:
    """The API is wrong for days, DNS contradicts it each day, and then nobody can ask DNS."""
    previous = NOTHING
    for day, dns in enumerate([WITH_MAIL, WITH_MAIL, WITH_MAIL, DNS_SILENT, WITH_MAIL, DNS_SILENT]):
        decision = decide(Case(NOW + day * DAY, flags("inactive"), RDAP_SILENT, dns, previous))
        assert decision.verdict is WATCH
        previous = History(phase=decision.phase, adverse_since=decision.adverse_since)


def test_a_reading_as_registered_begins_the_day_anew() -> None:
    previous = read_adverse(NOW - 3 * DAY, Phase.ACTIVE)
    first = decide(case("deleting", previous=previous))
    assert (first.verdict, first.adverse_since) == (WATCH, NOW)
    within_the_hour = replace(case("deleting"), now=NOW + DAY / 24, previous=read_adverse(NOW, first.phase))
    assert verdict(within_the_hour) is WATCH
