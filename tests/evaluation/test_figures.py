"""Means, intervals and quantiles."""

import pytest

from evaluation.figures import estimate, quantile, rate, share
from evaluation.score import NEVER


def test_the_interval_is_students() -> None:
    # Of 1, 2, 3: the mean is 2, its standard error 1 / sqrt(3), t for two degrees of freedom 4.303 (any table).
    found = estimate([1, 2, 3])
    assert found["mean"] == 2
    assert (found["low"], found["high"]) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)


def test_one_seed_leaves_the_interval_open() -> None:
    assert estimate([5]) == {"mean": 5, "low": None, "high": None}


def test_what_never_failed_may_fail_in_three_of_so_many() -> None:
    assert share([100, 200], [100, 200]) == {"mean": 1.0, "low": 0.99, "high": 1.0}
    assert share([0, 0], [100, 200]) == {"mean": 0.0, "low": 0.0, "high": 0.01}


def test_a_share_lies_between_nought_and_one() -> None:
    found = share([1, 10], [10, 10])
    assert (found["mean"], found["low"], found["high"]) == (0.55, 0.0, 1.0)


def test_a_share_of_nothing_is_none() -> None:
    assert share([0], [0])["mean"] is None


def test_what_was_never_seen_is_rarer_than_what_was_played_tells() -> None:
    assert rate([0, 0], [1_000, 1_000], played=1_500) == {"mean": 0.0, "low": 0.0, "high": 200.0}
    assert rate([2, 4], [1_000, 1_000], played=1_500)["mean"] == 300


@pytest.mark.parametrize(("part", "value"), [(0.5, 12), (0.75, 12), (0.95, NEVER)])
def test_who_is_never_unverified_counts_as_the_longest_delay(part: float, value: int) -> None:
    assert quantile({-5: 1, 12: 2, NEVER: 1}, part) == value


def test_no_values_have_no_quantile() -> None:
    assert quantile({}, 0.5) is None
