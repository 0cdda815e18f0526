from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.cadence import next_check_at
from lapsewatch.core.policy import Verdict

NOON = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("verdict", "has_evidence", "day"),
    [
        (Verdict.KEEP, True, datetime(2026, 12, 5, tzinfo=UTC)),
        (Verdict.WATCH, True, datetime(2026, 11, 6, tzinfo=UTC)),
        (Verdict.UNVERIFY, True, datetime(2026, 11, 6, tzinfo=UTC)),
        (Verdict.WATCH, False, datetime(2026, 11, 5, tzinfo=UTC)),
    ],
)
def test_when_a_domain_is_due_again(verdict: Verdict, has_evidence: bool, day: datetime) -> None:
    assert next_check_at(NOON, verdict, has_evidence=has_evidence) == day


@given(
    st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    st.sampled_from(Verdict),
    st.booleans(),
)
def test_nobody_waits_longer_than_thirty_days(as_of: datetime, verdict: Verdict, has_evidence: bool) -> None:
    due = next_check_at(as_of, verdict, has_evidence=has_evidence)
    assert as_of - timedelta(days=1) < due <= as_of + timedelta(days=30)
