"""Lapses begin, go on and end."""

from dataclasses import replace

import pytest
from lapsewatch.core.lifecycle import Case, History, Phase
from lapsewatch.core.policy import decide

from tests.core.cases import (
    BEGAN,
    DAY,
    DNS_SILENT,
    IN_GRACE,
    IN_REDEMPTION,
    KEEP,
    LAPSED,
    MAIL_BEFORE,
    NOW,
    OPEN,
    PARKED,
    RDAP_SILENT,
    SOUND,
    UNDELEGATED,
    UNVERIFY,
    WATCH,
    WITH_MAIL,
    case,
    found,
    read_adverse,
    verdict,
)


@pytest.mark.parametrize(
    "known",
    [
        case("deleting"),
        case("deleting", dns=UNDELEGATED),
        case("inactive", dns=DNS_SILENT),
        case("active", rdap=IN_REDEMPTION),
        case("deleting", rdap=IN_REDEMPTION),
        case("active", rdap=IN_GRACE, dns=PARKED, previous=MAIL_BEFORE),
    ],
)
def test_adverse_readings_begin_with_the_first(known: Case) -> None:
    mail = {"expired_since": known.previous.expired_since, "mail_seen_at": known.previous.mail_seen_at}
    assert decide(known).adverse_since == NOW
    assert decide(replace(known, previous=replace(OPEN, **mail))).adverse_since == BEGAN
    assert decide(replace(known, previous=replace(read_adverse(BEGAN), **mail))).adverse_since == BEGAN


@pytest.mark.parametrize(
    "known",
    [
        case(""),
        case("unknown", rdap=RDAP_SILENT, dns=DNS_SILENT),
        case("undelegated"),
        case("reserved"),
        case("active", rdap=found("client hold")),
        case("active", rdap=IN_GRACE, dns=WITH_MAIL),
        case("deleting", rdap=SOUND),
    ],
)
def test_silence_and_weak_readings_neither_begin_nor_end_a_lapse(known: Case) -> None:
    assert decide(known).adverse_since is None
    decision = decide(replace(known, previous=OPEN))
    assert (decision.adverse_since, decision.is_renewed) == (BEGAN, False)


def test_the_same_registration_renewed_ends_a_lapse() -> None:
    for previous in (OPEN, replace(OPEN, phase=Phase.ACTIVE, adverse_since=None), read_adverse(BEGAN)):
        decision = decide(case("active", rdap=SOUND, dns=WITH_MAIL, previous=previous))
        assert (decision.verdict, decision.is_renewed, decision.adverse_since) == (KEEP, True, None)
    assert decide(case("", rdap=SOUND, previous=OPEN)).is_renewed
    assert not decide(case("active", rdap=SOUND)).is_renewed


@pytest.mark.parametrize(
    "known",
    [
        case("active"),
        case("active", dns=WITH_MAIL),
        case("active", rdap=RDAP_SILENT),
        case("active", rdap=found(registered_at=None)),
        case("active", rdap=found(registered_at=NOW + DAY)),
        case("active", rdap=found("client hold")),
        case("active", rdap=IN_GRACE, dns=WITH_MAIL),
        case("deleting", rdap=SOUND),
    ],
)
def test_nothing_else_ends_it(known: Case) -> None:
    decision = decide(replace(known, previous=OPEN))
    assert (decision.verdict, decision.is_renewed) == (WATCH, False)


def test_a_contradicted_reading_begins_no_lapse_and_forgets_no_open_one() -> None:
    contradicted = case("expiring", dns=WITH_MAIL)
    assert decide(contradicted).adverse_since is None
    assert decide(replace(contradicted, previous=read_adverse(BEGAN))).adverse_since is None
    assert decide(replace(contradicted, previous=OPEN)).adverse_since == BEGAN


def test_a_lone_adverse_reading_is_forgotten_once_the_domain_stands_well_again() -> None:
    once = decide(case("active", previous=read_adverse(BEGAN)))
    assert (once.verdict, once.adverse_since) == (WATCH, BEGAN)
    twice = decide(case("active", previous=History(phase=Phase.ACTIVE, adverse_since=BEGAN)))
    assert (twice.verdict, twice.adverse_since) == (KEEP, None)


def test_without_a_registry_the_next_lapse_is_another_one() -> None:
    """Nobody can say that the registration is the same, so the lapse stays open; its readings end all the same."""
    verified_at = NOW - 3 * DAY
    stands = decide(case("active", dns=WITH_MAIL, previous=OPEN, verified_at=verified_at))
    assert (stands.verdict, stands.adverse_since, stands.is_renewed) == (KEEP, None, False)
    again = case(
        "deleting",
        dns=UNDELEGATED,
        previous=History(phase=Phase.ACTIVE, lapsed_at=LAPSED),
        verified_at=verified_at,
    )
    assert (verdict(again), decide(again).adverse_since) == (UNVERIFY, NOW)
