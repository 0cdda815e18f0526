"""What holds whatever is known of a domain."""

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.evidence import DnsOutcome, DnsReading, Flag, NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.lifecycle import ADVERSE, Case, History, Phase, Witness, phase_of, phase_of_record
from lapsewatch.core.policy import Policy, Verdict, decide

from tests.core.cases import (
    DAY,
    DNS_SILENT,
    LONG_AGO,
    NOT_FOUND,
    NOW,
    RDAP_SILENT,
    adverse_flags,
    adverse_statuses,
    cases,
    dns_readings,
    flag_lists,
    histories,
    instants,
    silent_dns,
    silent_flags,
    silent_records,
)

policies = st.sampled_from(Policy)


@given(cases, policies)
def test_no_case_makes_it_raise_and_every_reason_is_words(known: Case, policy: Policy) -> None:
    decision = decide(known, policy)
    assert len(decision.reason.split()) > 3
    assert decision.reason.isprintable()
    assert not {"@", "<", "{", "_"} & {*decision.reason}
    assert not {"None", "Phase", "Flag", "Witness"} & {*decision.reason.split()}
    assert decision.adverse_since is None or decision.adverse_since in {NOW, known.previous.adverse_since}


@given(cases, policies)
def test_deciding_twice_is_deciding_once(known: Case, policy: Policy) -> None:
    assert decide(known, policy) == decide(known, policy)


@given(silent_flags, silent_records, silent_dns, histories, st.none() | instants)
def test_missing_evidence_never_unverifies(
    flags: tuple[Flag, ...],
    rdap: RdapReading | None,
    dns: DnsReading | None,
    previous: History,
    verified_at: datetime | None,
) -> None:
    decision = decide(Case(NOW, flags, rdap, dns, previous, verified_at))
    assert (decision.phase, decision.verdict) == (Phase.UNKNOWN, Verdict.WATCH)
    assert (decision.adverse_since, decision.is_renewed) == (previous.adverse_since, False)


@given(silent_flags, silent_records, st.none() | dns_readings, histories, st.none() | instants)
def test_dns_by_itself_never_unverifies(
    flags: tuple[Flag, ...],
    rdap: RdapReading | None,
    dns: DnsReading | None,
    previous: History,
    verified_at: datetime | None,
) -> None:
    assert decide(Case(NOW, flags, rdap, dns, previous, verified_at)).verdict is not Verdict.UNVERIFY


@given(cases, instants, instants)
def test_an_expiry_date_changes_no_verdict_into_or_out_of_unverify(
    known: Case, expires_at: datetime, changed_at: datetime
) -> None:
    record = replace(known.rdap, expires_at=expires_at, changed_at=changed_at) if known.rdap else None
    dated = replace(known, rdap=record, previous=replace(known.previous, expires_at=expires_at))
    before, after = decide(known), decide(dated)
    assert (before.verdict is Verdict.UNVERIFY) is (after.verdict is Verdict.UNVERIFY)
    assert (before.phase, before.is_renewed) == (after.phase, after.is_renewed)


@given(cases)
def test_unverify_rests_on_two_witnesses_or_on_a_change_of_hands(known: Case) -> None:
    decision = decide(known)
    if decision.verdict is Verdict.UNVERIFY:
        assert decision.witnesses
        assert decision.phase in ADVERSE | {Phase.EXPIRED, Phase.REREGISTERED}
        dates = [known.rdap.registered_at if known.rdap else None, known.previous.registered_at]
        is_later = known.verified_at is not None and any(date > known.verified_at for date in dates if date)
        has_lapsed = decision.phase is Phase.REREGISTERED and known.previous.lapsed_at is not None
        assert len(set(decision.witnesses)) >= 2 or is_later or has_lapsed


@given(cases)
def test_a_lapse_ends_by_the_registrys_word_only(known: Case) -> None:
    if decide(known).is_renewed:
        assert phase_of_record(known.rdap) is Phase.ACTIVE
        assert decide(known).phase is Phase.ACTIVE
        assert decide(known).verdict is not Verdict.UNVERIFY


past = st.integers(0, 12).map(lambda halves: NOW - halves * DAY / 2)


@given(cases, st.sampled_from(sorted(ADVERSE)), past, st.none() | past)
def test_who_verified_after_everything_is_never_unverified_for_an_open_lapse(
    known: Case, phase: Phase, began: datetime, lapsed_at: datetime | None
) -> None:
    """PyPI's issue 18356, in all its shapes: verified now, after whatever has begun before."""
    previous = replace(known.previous, phase=phase, adverse_since=began, lapsed_at=lapsed_at)
    assert decide(replace(known, previous=previous, verified_at=NOW)).verdict is not Verdict.UNVERIFY


# An agreeing witness


said_by = {
    Witness.FLAGS: adverse_flags.map(lambda flags: {"flags": flags}),
    Witness.RDAP: adverse_statuses.map(lambda status: {"rdap": RdapReading(RdapOutcome.FOUND, status)}),
    Witness.DNS: st.just({"dns": DnsReading(DnsOutcome.NOT_DELEGATED)}),
    Witness.PREVIOUS: st.builds(
        lambda phase, days: {"previous": History(phase=phase, adverse_since=NOW - days * DAY)},
        st.sampled_from(sorted(ADVERSE)),
        st.integers(1, 9),
    ),
}


def witnessed(without: Witness) -> st.SearchStrategy[Case]:
    """Cases that lack a witness; half of them have two others who are enough."""
    others = [witness for witness in Witness if witness is not without and witness is not Witness.PREVIOUS]
    pairs = st.sampled_from([(one, other) for one in others for other in [*others, Witness.PREVIOUS] if one != other])
    said = pairs.flatmap(lambda pair: st.tuples(*(said_by[witness] for witness in pair)))
    enough = said.map(lambda pair: Case(**{"now": NOW, "verified_at": LONG_AGO, **pair[0], **pair[1]}))
    return enough | cases


def assert_still_unverified(known: Case, with_one_more: Case) -> None:
    before, after = decide(known), decide(with_one_more)
    if before.verdict is Verdict.UNVERIFY:
        assert after.verdict is not Verdict.KEEP
        # A witness of a lapse need not agree with a change of hands.
        assert after.verdict is Verdict.UNVERIFY or before.phase is Phase.REREGISTERED


@given(witnessed(without=Witness.RDAP), adverse_statuses)
def test_a_registry_that_agrees_changes_nothing(known: Case, status: tuple[str, ...]) -> None:
    known = replace(known, rdap=None)
    assert_still_unverified(known, replace(known, rdap=RdapReading(RdapOutcome.FOUND, status)))
    assert_still_unverified(known, replace(known, rdap=NOT_FOUND))


@given(witnessed(without=Witness.DNS))
def test_dns_that_agrees_changes_nothing(known: Case) -> None:
    known = replace(known, dns=None)
    assert_still_unverified(known, replace(known, dns=DnsReading(DnsOutcome.NOT_DELEGATED)))


@given(witnessed(without=Witness.FLAGS), adverse_flags)
def test_flags_that_agree_change_nothing(known: Case, flags: tuple[Flag, ...]) -> None:
    known = replace(known, flags=())
    assert_still_unverified(known, replace(known, flags=flags))


@given(witnessed(without=Witness.PREVIOUS), st.integers(1, 9), st.sampled_from(sorted(ADVERSE)))
def test_an_earlier_reading_that_agrees_changes_nothing(known: Case, days: int, phase: Phase) -> None:
    known, since = replace(known, previous=History()), NOW - days * DAY
    # Unless the address was verified in between: then it is another story.
    if known.verified_at is None or known.verified_at < since:
        assert_still_unverified(known, replace(known, previous=History(phase=phase, adverse_since=since)))


# Outages


@given(histories, st.none() | instants, st.sampled_from(NoEvidenceReason))
def test_a_registrys_outage_unverifies_nobody(
    previous: History, verified_at: datetime | None, reason: NoEvidenceReason
) -> None:
    """All answers are `unknown` and the registry refuses, for two days; DNS goes on as it was or fails too."""
    rdap = RdapReading(RdapOutcome.NO_EVIDENCE, reason=reason)
    for day in range(3):
        for dns in (None, DNS_SILENT, DnsReading(DnsOutcome.DELEGATED, mx=True)):
            known = Case(NOW + day * DAY, (Flag.UNKNOWN,), rdap, dns, previous, verified_at)
            assert decide(known).verdict is not Verdict.UNVERIFY


@given(st.lists(st.tuples(flag_lists | adverse_flags, dns_readings | st.just(DNS_SILENT)), max_size=6))
def test_an_outage_of_dns_is_never_what_unverifies(days: list[tuple[tuple[Flag, ...], DnsReading]]) -> None:
    """Whoever is unverified on a day without DNS has been seen to lapse a day earlier, and nobody spoke against it."""
    previous, uncontradicted_since = History(), None
    for day, (flags, dns) in enumerate(days):
        now = NOW + day * DAY
        decision = decide(Case(now, flags, RDAP_SILENT, dns, previous))
        speaks_against = (
            dns.outcome is DnsOutcome.DELEGATED and Flag(flags[-1] if flags else "unknown") is Flag.INACTIVE
        )
        if phase_of(flags) in ADVERSE and not speaks_against:
            uncontradicted_since = uncontradicted_since if uncontradicted_since is not None else now
        if dns.outcome is DnsOutcome.NO_EVIDENCE and decision.verdict is Verdict.UNVERIFY:
            assert uncontradicted_since is not None
            assert now - uncontradicted_since >= DAY
        if phase_of(flags) is Phase.ACTIVE or speaks_against:
            uncontradicted_since = None
        if phase_of(flags) is not Phase.UNKNOWN:
            previous = History(phase=decision.phase, adverse_since=decision.adverse_since)
