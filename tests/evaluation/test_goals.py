"""When a goal is reached, by figures made by hand."""

from copy import deepcopy
from typing import Any

import pytest

from evaluation.contest import ADAPTIVE, PYPI_DESIGNED
from evaluation.goals import goals
from evaluation.routes import Route
from evaluation.score import AT_FIRST, IN_WARM_UP, LATER, TIMES, Mistake

NONE = {"mean": 0.0, "low": 0.0, "high": 0.5}
PROTECTED = {"mean": 0.995, "low": 0.99, "high": 1.0}
CALLS, SHARE, VISIBLE_ROUTES, ROUTES, UNHELD, WRONGED, DELAY, WAIT, QUERIES = range(9)


def watcher() -> dict[str, Any]:
    return {
        "routes": {route.value: {"share": dict(PROTECTED)} for route in Route},
        "visible": {"share": dict(PROTECTED)},
        "mistakes": {"all": dict(NONE)} | {when: {why.value: dict(NONE) for why in Mistake} for when in TIMES},
        "calls": {"mean": 12.2},
        "delay_days": {"median": 1.0},
        "longest_wait_days": 30,
        "busiest_server": {"queries_a_day": 86_400},
    }


REACHED = {"watchers": {PYPI_DESIGNED: watcher(), ADAPTIVE: watcher()}}


def missed(*changes: tuple[object, ...]) -> list[int]:
    """The numbers of the goals that are missed when figures of the adaptive cadence, named by their path, are other."""
    figures = deepcopy(REACHED)
    for *path, last, value in changes:
        place = figures["watchers"][ADAPTIVE]
        for key in path:
            place = place[key]
        place[last] = value
    return [number for number, goal in enumerate(goals(figures)) if not goal["reached"]]


def test_all_are_reached_at_the_limit() -> None:
    assert missed() == []


@pytest.mark.parametrize(
    ("path", "number"),
    [
        (("calls", "mean", 12.21), CALLS),
        (("visible", "share", "low", 0.9899), SHARE),
        (("mistakes", AT_FIRST, Mistake.OTHERWISE.value, "mean", 0.01), UNHELD),
        (("mistakes", IN_WARM_UP, Mistake.IN_BAD_WEATHER.value, "mean", 0.01), UNHELD),
        (("mistakes", LATER, Mistake.OTHERWISE.value, "mean", 0.01), UNHELD),
        (("mistakes", "all", "high", 1.0), WRONGED),
        (("delay_days", "median", 1.01), DELAY),
        (("delay_days", "median", None), DELAY),
        (("longest_wait_days", 31), WAIT),
        (("busiest_server", "queries_a_day", 86_401), QUERIES),
    ],
)
def test_each_is_missed_beyond_its_limit(path: tuple[object, ...], number: int) -> None:
    assert missed(path) == [number]


def test_a_hold_is_no_other_mistake() -> None:
    assert missed(("mistakes", LATER, Mistake.ON_HOLD.value, "mean", 0.9)) == []


@pytest.mark.parametrize(
    ("route", "numbers"), [(Route.REGISTRY_TELLS, [VISIBLE_ROUTES, ROUTES]), (Route.NOBODY_TELLS, [ROUTES])]
)
def test_who_protects_more_on_a_route_is_named_with_the_shares(route: Route, numbers: list[int]) -> None:
    assert missed(("routes", route.value, "share", "mean", 0.994)) == numbers
    figures = deepcopy(REACHED)
    figures["watchers"][ADAPTIVE]["routes"][route.value]["share"]["mean"] = 0.25
    figures["watchers"][PYPI_DESIGNED]["mistakes"]["all"]["mean"] = 1_234.0
    better, price = goals(figures)[ROUTES]["found"].split("; ")
    assert better == f"{route.value}: 25.0%, but {PYPI_DESIGNED} 99.5%"
    assert price == f"addresses wronged, of 100,000: {PYPI_DESIGNED} 1,234, {ADAPTIVE} 0"


def test_without_an_interval_the_mean_is_judged() -> None:
    one_seed = {"mean": 0.995, "low": None, "high": None}
    assert missed(("visible", "share", one_seed), ("mistakes", "all", one_seed)) == []
