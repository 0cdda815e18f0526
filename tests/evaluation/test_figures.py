"""Means, intervals and quantiles."""

from collections import Counter

import pytest

from evaluation.contest import (
    ADAPTIVE,
    BUDGETS,
    CALLS_A_YEAR,
    MAIN_SHARE,
    PLAIN_SAMPLE,
    SeedResult,
    interval_for,
    watchers,
)
from evaluation.figures import RUBYGEMS_CAP, count, estimate, figures, quantile, rate, share
from evaluation.routes import Route
from evaluation.score import AT_FIRST, IN_WARM_UP, LATER, NEVER, Mistake, Tally
from evaluation.sensitivity import OTHER_DOMAINS, OTHER_WEATHER, Change
from evaluation.year import WARM_UP_DAYS


def test_the_interval_is_students() -> None:
    # Of 1, 2, 3: the mean is 2, its standard error 1 / sqrt(3), t for two degrees of freedom 4.303 (any table).
    found = estimate([1, 2, 3])
    assert found["mean"] == 2
    assert (found["low"], found["high"]) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)


def test_one_seed_leaves_the_interval_open() -> None:
    assert estimate([5]) == {"mean": 5, "low": None, "high": None}


def test_the_interval_of_a_share_is_clopper_and_pearsons() -> None:
    # Of 10 in 20: 27.20 % to 72.80 % (any table). Of none or all in n: 1 - 0.025 ** (1 / n).
    assert share([1, 9], [10, 10]) == pytest.approx({"mean": 0.5, "low": 0.2720, "high": 0.7280}, abs=1e-4)
    assert share([0, 0], [10, 20])["high"] == pytest.approx(1 - 0.025 ** (1 / 30), rel=1e-5)
    assert share([10, 20], [10, 20])["low"] == pytest.approx(0.025 ** (1 / 30), rel=1e-5)


def test_the_interval_of_what_is_rare_lies_within_what_was_found() -> None:
    found = count([0, 0, 0, 10])
    assert found["mean"] == 2.5
    assert 0 <= found["low"] < 2.5 < found["high"] <= 10
    assert count([7]) == {"mean": 7, "low": None, "high": None}


def test_a_share_of_nothing_is_none() -> None:
    assert share([0], [0])["mean"] is None


def test_what_was_never_seen_may_lie_among_those_that_were_not_played() -> None:
    assert rate([0, 0], [60_000, 40_000]) == {"mean": 0.0, "low": 0.0, "high": 3 * PLAIN_SAMPLE}
    assert rate([2, 4], [1_000, 1_000])["mean"] == 300


@pytest.mark.parametrize(("part", "value"), [(0.5, 12), (0.75, 12), (0.95, NEVER)])
def test_who_is_never_unverified_counts_as_the_longest_delay(part: float, value: int) -> None:
    assert quantile({-5: 1, 12: 2, NEVER: 1}, part) == value


def test_no_values_have_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def tally(**counted: object) -> Tally:
    return Tally(domains=1_000, addresses=100_000, **counted)


def seed(ours: Tally, changes: dict[str, Change] | None = None) -> SeedResult:
    """A seed of which only the adaptive cadence's tally is of interest."""
    usual = {watcher.name: tally() for watcher in watchers()} | {ADAPTIVE: ours}
    return SeedResult(
        {((MAIN_SHARE,), name): of for name, of in usual.items()},
        {interval_for(budget): tally(paid=1_000 * interval_for(budget)) for budget in BUDGETS},
        {name: Change() for name in (*OTHER_DOMAINS, *OTHER_WEATHER)} | (changes or {}),
    )


def found_of(ours: Tally) -> dict:
    return figures([seed(ours)])["watchers"][ADAPTIVE]


def test_mistakes_are_told_apart_by_when_and_why() -> None:
    made = {(AT_FIRST, Mistake.ON_HOLD): 1, (IN_WARM_UP, Mistake.OTHERWISE): 2, (LATER, Mistake.IN_BAD_WEATHER): 4}
    mistakes = found_of(tally(mistakes=Counter(made)))["mistakes"]
    assert mistakes["all"]["mean"] == 7
    assert [mistakes[when]["all"]["mean"] for when in (AT_FIRST, IN_WARM_UP, LATER)] == [1, 2, 4]
    assert [mistakes[when][why.value]["mean"] for when, why in made] == [1, 2, 4]
    assert mistakes[LATER][Mistake.ON_HOLD.value]["mean"] == 0


def test_days_above_a_limit_count_from_the_first_counted_day() -> None:
    days = {0: 1_000, WARM_UP_DAYS - 1: 1_000, WARM_UP_DAYS: RUBYGEMS_CAP + 1, WARM_UP_DAYS + 1: RUBYGEMS_CAP}
    above = found_of(tally(unverified=Counter(days)))["days_above"]
    assert [of["mean"] for of in above.values()] == [1, 0]


def test_all_lapses_are_those_that_anybody_could_see_and_the_others() -> None:
    lapses = Counter({Route.REGISTRY_TELLS: 10, Route.SOLD: 10})
    found = found_of(tally(lapses=lapses, protected=Counter({Route.REGISTRY_TELLS: 10})))
    assert (found["all"]["share"]["mean"], found["visible"]["share"]["mean"]) == (0.5, 1.0)


def test_a_point_of_the_curve_has_the_calls_of_all_domains() -> None:
    usual = interval_for(CALLS_A_YEAR)
    curve = figures([seed(tally(paid=50_000))])["curve"]
    # Of 50 calls a domain, those without a registry made as many as the days between two: by another interval, as many.
    assert [point["calls"]["mean"] for point in curve] == [50 - usual + point["interval_days"] for point in curve]


def test_another_assumption_changes_what_it_is_about() -> None:
    route, mistake = Route.AUCTION_SEEN, (LATER, Mistake.OTHERWISE)
    name = next(iter(OTHER_DOMAINS))
    changed = Change(
        Tally(lapses=Counter({route: 4}), protected=Counter({route: 4})),
        Tally(lapses=Counter({route: 4}), protected=Counter({route: 1}), mistakes=Counter({mistake: 3})),
    )
    ours = tally(lapses=Counter({route: 10}), protected=Counter({route: 10}))
    found = figures([seed(ours, {name: changed})])["sensitivity"]
    assert (found["as assumed"]["share"]["mean"], found["as assumed"]["mistakes"]["mean"]) == (1.0, 0.0)
    assert (found[name]["lapses"], found[name]["share"]["mean"], found[name]["mistakes"]["mean"]) == (10, 0.7, 3.0)
