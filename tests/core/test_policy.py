from dataclasses import replace
from datetime import datetime
from itertools import product

import pytest
from lapsewatch.core.evidence import DnsReading, Flag, RdapReading
from lapsewatch.core.lifecycle import MAIL_GONE_FOR, MAIL_REMEMBERED, Case, History, Phase, Witness
from lapsewatch.core.policy import (
    PYPI_FLAGS,
    RUBYGEMS_FLAGS,
    SECOND_READING_AFTER,
    Policy,
    Verdict,
    changed_hands_reason,
    decide,
    is_evidence,
)

from tests.core.cases import (
    DAY,
    DNS_SILENT,
    LONG_AGO,
    MET_BY_PYPI,
    NOT_FOUND,
    NOTHING,
    NOW,
    PARKED,
    RDAP_SILENT,
    SECOND,
    UNDELEGATED,
    WITH_MAIL,
    WITHOUT_MAIL,
    case,
    flags,
    found,
    read_adverse,
)

FLAGS, RDAP, DNS, PREVIOUS = Witness
KEEP, WATCH, UNVERIFY = Verdict

IN_REDEMPTION = found("redemption period", "pending delete")
IN_GRACE = found("auto renew period")
MAIL_BEFORE = History(phase=Phase.EXPIRED, expired_since=NOW - 38 * DAY, mail_seen_at=NOW - 40 * DAY)
SOUND = found("active")


def verdict(known: Case, policy: Policy = Policy.CORROBORATED) -> Verdict:
    return decide(known, policy).verdict


# PyPI's table. The columns: the flags alone, with a registry and DNS that tell of a lapse, with ones that tell of a
# registered domain, and with ones that could not say; then PyPI's rule, and RubyGems' with and without an MX.
RULINGS = {
    "undelegated inactive": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "undelegated active": (KEEP, UNVERIFY, KEEP, KEEP, UNVERIFY, KEEP, KEEP),
    "unknown": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "inactive": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "undelegated": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "marketed priced undelegated active": (KEEP, UNVERIFY, KEEP, KEEP, UNVERIFY, KEEP, KEEP),
    "undelegated inactive premium": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "undelegated active deleting": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "inactive active": (KEEP, UNVERIFY, KEEP, KEEP, UNVERIFY, KEEP, UNVERIFY),
    "undelegated reserved": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "undelegated claimed": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "marketed priced deleting": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
}
TELLS_OF_A_LAPSE = {"inactive", "expiring", "deleting"}


def test_the_table_is_pypis() -> None:
    assert RULINGS.keys() == MET_BY_PYPI.keys()


@pytest.mark.parametrize("status", RULINGS)
def test_every_row_of_pypis_table_under_every_policy(status: str) -> None:
    assert RULINGS[status] == (
        verdict(case(status)),
        verdict(case(status, rdap=IN_REDEMPTION, dns=UNDELEGATED)),
        verdict(case(status, rdap=SOUND, dns=WITH_MAIL)),
        verdict(case(status, rdap=RDAP_SILENT, dns=DNS_SILENT)),
        verdict(case(status), Policy.PYPI),
        verdict(case(status, dns=WITH_MAIL), Policy.RUBYGEMS),
        verdict(case(status, dns=WITHOUT_MAIL), Policy.RUBYGEMS),
    )


@pytest.mark.parametrize("status", MET_BY_PYPI)
def test_flags_with_one_more_witness_each(status: str) -> None:
    is_lapse = status.split()[-1] in TELLS_OF_A_LAPSE
    by_two = UNVERIFY if is_lapse else WATCH
    # DNS that agrees settles what the flags say, and so does a registry; alone neither does. That a domain is not
    # registered is the registry's to say, or must be said for a day.
    settled = is_lapse and status.split()[-1] != "inactive"
    assert (verdict(case(status, dns=UNDELEGATED)) is UNVERIFY) is settled
    assert (verdict(case(status, rdap=RDAP_SILENT, dns=UNDELEGATED)) is UNVERIFY) is settled
    for_a_day = read_adverse(NOW - DAY)
    assert (verdict(case(status, rdap=RDAP_SILENT, dns=UNDELEGATED, previous=for_a_day)) is UNVERIFY) is is_lapse
    assert verdict(case(status, rdap=IN_REDEMPTION)) is by_two
    assert verdict(case(status, rdap=NOT_FOUND)) is by_two
    assert verdict(case(status, rdap=IN_REDEMPTION, dns=WITH_MAIL)) is by_two
    # DNS that disagrees holds it up; a registry that disagrees outranks it.
    assert verdict(case(status, dns=WITH_MAIL)) is not UNVERIFY
    assert verdict(case(status, rdap=SOUND, dns=UNDELEGATED)) is (WATCH if is_lapse else KEEP)


def test_a_bad_day_of_the_status_api_costs_nobody_out_of_dns_the_trust() -> None:
    """It calls live domains `inactive`, and DNS agrees, as it has for years; the next day it is itself again."""
    bad_day = case("undelegated inactive", rdap=RDAP_SILENT, dns=UNDELEGATED, previous=History(phase=Phase.ACTIVE))
    first = decide(bad_day)
    assert (first.phase, first.verdict) == (Phase.RELEASED, WATCH)
    itself_again = replace(bad_day, flags=(Flag.UNDELEGATED, Flag.ACTIVE), dns=None)
    known = first
    for day in (1, 2):
        previous = History(phase=known.phase, adverse_since=known.adverse_since)
        known = decide(replace(itself_again, now=NOW + day * DAY, previous=previous))
        assert known.verdict is (WATCH if day == 1 else KEEP)
    assert known.adverse_since is None


@pytest.mark.parametrize("status", MET_BY_PYPI)
@pytest.mark.parametrize(
    "previous", [NOTHING, read_adverse(NOW - 5 * DAY), read_adverse(NOW - 5 * DAY, lapsed_at=NOW - 4 * DAY)]
)
@pytest.mark.parametrize("verified_at", [None, LONG_AGO, NOW - DAY])
def test_what_leads_as_no_lapse_is_never_one_by_itself(
    status: str, previous: History, verified_at: datetime | None
) -> None:
    if status.split()[-1] not in TELLS_OF_A_LAPSE:
        for rdap, dns in product([None, RDAP_SILENT], [None, DNS_SILENT, WITH_MAIL, UNDELEGATED]):
            known = case(status, rdap=rdap, dns=dns, previous=previous, verified_at=verified_at)
            assert verdict(known) is not UNVERIFY


# The second witness


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


# Restores, expiry, and other phases


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


# Registered anew

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


# Lapses begin, go on and end

BEGAN, LAPSED = NOW - 6 * DAY, NOW - 5 * DAY
OPEN = read_adverse(BEGAN, lapsed_at=LAPSED)


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


def test_who_registered_anew_may_lose_it_too() -> None:
    bought = History(phase=Phase.REREGISTERED, lapsed_at=MADE, registered_at=MADE)
    lost = case("deleting", rdap=found("pending delete", registered_at=MADE), previous=bought, verified_at=MADE + DAY)
    assert verdict(lost) is UNVERIFY
    with_mail = replace(bought, expired_since=NOW - 38 * DAY, mail_seen_at=NOW - 40 * DAY)
    auctioned = replace(lost, rdap=found("auto renew period", registered_at=MADE), dns=PARKED, previous=with_mail)
    assert (decide(auctioned).phase, verdict(auctioned)) == (Phase.EXPIRED, UNVERIFY)
    # While mail arrives, what was known of the change of hands still tells more.
    assert decide(replace(auctioned, dns=WITH_MAIL)).phase is Phase.REREGISTERED


# PyPI's issue 18356: who verified again was unverified the next day, because the old status was still stored


@pytest.mark.parametrize("verified_at", [BEGAN, BEGAN + SECOND, LAPSED + DAY, NOW])
@pytest.mark.parametrize(
    "known",
    [
        case("deleting"),
        case("deleting", dns=UNDELEGATED),
        case("undelegated inactive", rdap=NOT_FOUND, dns=UNDELEGATED),
        case("deleting", rdap=SOUND, dns=WITH_MAIL),
        case("active", rdap=IN_GRACE, dns=PARKED),
        case("active"),
        case("active", rdap=SOUND),
        case("unknown", rdap=RDAP_SILENT),
    ],
)
@pytest.mark.parametrize("phase", [Phase.REDEMPTION, Phase.RELEASED, Phase.EXPIRED])
def test_an_owner_who_verified_again_is_left_alone(known: Case, verified_at: datetime, phase: Phase) -> None:
    for previous in (replace(OPEN, phase=phase), replace(OPEN, phase=phase, adverse_since=None)):
        began = previous.adverse_since or LAPSED
        if verified_at >= began:
            assert verdict(replace(known, previous=previous, verified_at=verified_at)) is not UNVERIFY
    assert verdict(case("deleting", dns=UNDELEGATED, previous=OPEN, verified_at=BEGAN - SECOND)) is UNVERIFY


def test_one_sound_answer_amid_stale_ones_takes_nobody_twice() -> None:
    """The owner has renewed and verified again; the API goes on with the old status, then the registry falls silent."""
    verified_at = NOW - DAY
    renewed = decide(case("deleting", rdap=SOUND, dns=WITH_MAIL, previous=OPEN, verified_at=verified_at))
    assert (renewed.phase, renewed.verdict, renewed.adverse_since) == (Phase.ACTIVE, WATCH, BEGAN)
    previous = History(phase=Phase.ACTIVE, adverse_since=BEGAN, lapsed_at=LAPSED)
    assert verdict(case("deleting", dns=UNDELEGATED, previous=previous, verified_at=verified_at)) is WATCH


def test_after_the_renewal_too() -> None:
    closed = History(phase=Phase.ACTIVE)
    for status in ("active", "unknown", "", "undelegated"):
        assert verdict(case(status, rdap=SOUND, previous=closed, verified_at=NOW - DAY)) is KEEP


# The published rules


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


# What counts as having heard of a registration


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
