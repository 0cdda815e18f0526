"""A small contest: what must hold in every year, and that it comes out the same again."""

import pytest

from evaluation.contest import (
    ADAPTIVE,
    BUDGETS,
    CALLS_A_YEAR,
    MAIN_SHARE,
    MONTHLY,
    SHARES,
    Chunk,
    SeedResult,
    Size,
    interval_for,
    play,
    play_chunk,
    watchers,
)
from evaluation.figures import figures
from evaluation.goals import LONGEST_WAIT_DAYS, MOST_CALLS, goals
from evaluation.routes import VISIBLE, Route
from evaluation.score import Mistake

DOMAINS = 1_500


@pytest.fixture(scope="module")
def seed() -> SeedResult:
    [result] = play(Size(seeds=1, domains=DOMAINS), jobs=2, tell=lambda _played: None)
    return result


def test_every_watcher_plays_the_same_lapses_in_every_world(seed: SeedResult) -> None:
    for share in SHARES:
        lapses = [seed.of(share, watcher.name).lapses for watcher in watchers()]
        assert lapses[0].total() > DOMAINS * 0.04
        assert lapses.count(lapses[0]) == len(lapses)
    auctions = [seed.of(share, ADAPTIVE).lapses[Route.AUCTION_SEEN] for share in SHARES]
    assert auctions[0] == 0 < auctions[1] < auctions[2]


def test_every_domain_is_counted(seed: SeedResult) -> None:
    # Those to which nothing happens stand for their like, by the ten.
    assert seed.of(MAIN_SHARE, ADAPTIVE).domains == pytest.approx(DOMAINS, rel=0.1)


@pytest.mark.parametrize("route", VISIBLE)
def test_adaptive_protects_as_many_as_anybody_where_anybody_could(seed: SeedResult, route: Route) -> None:
    protected = {watcher.name: seed.of(MAIN_SHARE, watcher.name).protected[route] for watcher in watchers()}
    assert protected[ADAPTIVE] == max(protected.values()) > 0


def test_adaptive_protects_nearly_all_that_anybody_could(seed: SeedResult) -> None:
    tally = seed.of(MAIN_SHARE, ADAPTIVE)
    lapses, protected = (sum(counts[route] for route in VISIBLE) for counts in (tally.lapses, tally.protected))
    assert protected >= 0.99 * lapses


@pytest.mark.parametrize("name", [ADAPTIVE, MONTHLY])
def test_nobody_who_has_paid_is_unverified(seed: SeedResult, name: str) -> None:
    tally = seed.of(MAIN_SHARE, name)
    assert sum(count for (_, mistake), count in tally.mistakes.items() if mistake is not Mistake.ON_HOLD) == 0
    assert tally.protected_by_mistake.total() == 0


def test_others_do_wrong_owners_in_this_world(seed: SeedResult) -> None:
    others = [watcher.name for watcher in watchers() if watcher.name not in {ADAPTIVE, MONTHLY}]
    assert min(seed.of(MAIN_SHARE, name).mistakes.total() for name in others) > 0


def test_adaptive_keeps_its_budget_and_lets_nobody_wait(seed: SeedResult) -> None:
    tally = seed.of(MAIN_SHARE, ADAPTIVE)
    assert tally.paid <= MOST_CALLS * tally.domains
    assert tally.longest_wait <= LONGEST_WAIT_DAYS


def test_more_calls_are_spent_where_more_are_allowed(seed: SeedResult) -> None:
    intervals = sorted({interval_for(budget) for budget in BUDGETS})
    calls = [seed.curve[interval].paid for interval in intervals]
    assert calls == sorted(calls, reverse=True)
    assert interval_for(CALLS_A_YEAR) in intervals


def test_a_year_comes_out_the_same_in_another_process() -> None:
    numbers = range(200)
    [elsewhere] = play(Size(seeds=1, domains=200), jobs=1, tell=lambda _played: None)
    assert play_chunk(Chunk("1", numbers, with_variants=True)) == elsewhere


def test_figures_can_be_drawn_of_a_single_seed(seed: SeedResult) -> None:
    found = figures([seed])
    assert all(isinstance(goal["reached"], bool) for goal in goals(found))
    assert [point["interval_days"] for point in found["curve"]] == list(dict.fromkeys(map(interval_for, BUDGETS)))
