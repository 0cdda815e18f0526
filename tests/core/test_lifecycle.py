import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.evidence import Flag, read_flags
from lapsewatch.core.lifecycle import Phase, phase_of
from lapsewatch.core.policy import Verdict, decide

# The flags that PyPI's first assessment met (warehouse, pull request 18055), and what they mean by the right-most one.
MET_BY_PYPI = {
    "undelegated inactive": (Phase.RELEASED, Verdict.UNVERIFY),
    "undelegated active": (Phase.ACTIVE, Verdict.KEEP),
    "unknown": (Phase.UNKNOWN, Verdict.WATCH),
    "inactive": (Phase.RELEASED, Verdict.UNVERIFY),
    "undelegated": (Phase.UNDELEGATED, Verdict.WATCH),
    "marketed priced undelegated active": (Phase.ACTIVE, Verdict.KEEP),
    "undelegated inactive premium": (Phase.RESERVED, Verdict.WATCH),
    "undelegated active deleting": (Phase.PENDING_DELETE, Verdict.UNVERIFY),
    "inactive active": (Phase.ACTIVE, Verdict.KEEP),
    "undelegated reserved": (Phase.RESERVED, Verdict.WATCH),
    "undelegated claimed": (Phase.RESERVED, Verdict.WATCH),
    "marketed priced deleting": (Phase.PENDING_DELETE, Verdict.UNVERIFY),
    "undelegated active expiring": (Phase.REDEMPTION, Verdict.UNVERIFY),
}


@pytest.mark.parametrize("status", MET_BY_PYPI)
def test_the_right_most_flag_leads(status: str) -> None:
    flags = read_flags(status)
    assert flags is not None
    phase = phase_of(flags)
    assert (phase, decide(phase).verdict) == MET_BY_PYPI[status]


@given(st.lists(st.sampled_from(Flag)), st.sampled_from(Flag))
def test_what_stands_before_the_leading_flag_changes_nothing(before: list[Flag], leading: Flag) -> None:
    assert phase_of([*before, leading]) is phase_of([leading])


@given(st.lists(st.sampled_from(Flag)))
def test_only_three_leading_flags_are_a_lapse(flags: list[Flag]) -> None:
    leads_to_a_lapse = bool(flags) and flags[-1] in {Flag.INACTIVE, Flag.EXPIRING, Flag.DELETING}
    assert (decide(phase_of(flags)).verdict is Verdict.UNVERIFY) is leads_to_a_lapse


@given(st.sampled_from(Phase))
def test_every_phase_has_a_decision_with_a_reason(phase: Phase) -> None:
    assert len(decide(phase).reason.split()) > 3


@given(st.text())
def test_reading_a_status_never_raises_and_loses_no_flag(status: str) -> None:
    flags = read_flags(status)
    assert flags is None or [flag.value for flag in flags] == status.split()


def test_more_flags_than_there_are_is_no_status() -> None:
    assert read_flags("active " * 21) is None
