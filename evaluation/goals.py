"""What is asked of the adaptive cadence, held against the figures."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.contest import ADAPTIVE
from evaluation.routes import VISIBLE, Route
from evaluation.score import TIMES, Mistake

MOST_CALLS = 12.2
"""Paid calls a domain and year: the price of asking everybody every 30 days."""

LEAST_PROTECTED = 0.99
MOST_MISTAKES = 1.0
MOST_DELAY_DAYS = 1.0
LONGEST_WAIT_DAYS = 30
MOST_QUERIES_A_DAY = 86_400
"""One a second."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal in words, what was found, and whether it was reached."""

    goal: str
    found: str
    reached: bool


def goals(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the goals, as JSON. What chance leaves open counts against them: an interval's worse end is held to it."""
    ours = figures["watchers"][ADAPTIVE]
    unlike_lapses = (Mistake.IN_BAD_WEATHER.value, Mistake.OTHERWISE.value)
    unheld = sum(ours["mistakes"][when][why]["mean"] for when in TIMES for why in unlike_lapses)
    outdone, outdone_in_sight = _outdone(figures, Route), _outdone(figures, VISIBLE)
    protected, wronged, calls = ours["visible"]["share"], ours["mistakes"]["all"], ours["calls"]["mean"]
    median, queries = ours["delay_days"]["median"], ours["busiest_server"]["queries_a_day"]
    found = [
        Goal(f"at most {MOST_CALLS} paid calls a domain and year", f"{calls:.2f}", calls <= MOST_CALLS),
        Goal(
            f"at least {LEAST_PROTECTED:.0%} of the lapses that any observer could have seen are protected",
            f"{protected['mean']:.2%}{_between(protected, '.2%')}",
            _worse(protected, "low") >= LEAST_PROTECTED,
        ),
        Goal(
            "no other policy protects more on any route that anybody could see",
            "; ".join(outdone_in_sight) or "none does",
            not outdone_in_sight,
        ),
        Goal(
            "no other policy protects more on any route at all",
            "; ".join([*outdone, f"addresses wronged, of 100,000: {_wronged(figures)}"]) if outdone else "none does",
            not outdone,
        ),
        Goal(
            "nobody who has paid is unverified, but for holds that look like lapses",
            f"{unheld:.2f} of 100,000 addresses",
            unheld == 0,
        ),
        Goal(
            "and even so fewer than 1 of 100,000 addresses and year",
            f"{wronged['mean']:.2f}{_between(wronged, '.2f')}",
            _worse(wronged, "high") < MOST_MISTAKES,
        ),
        Goal(
            "median delay after redemption begins at most 1 day",
            "never" if median is None else f"{median:.2f} days",
            median is not None and median <= MOST_DELAY_DAYS,
        ),
        Goal(
            "nobody waits longer than 30 days for a check",
            f"{ours['longest_wait_days']} days",
            ours["longest_wait_days"] <= LONGEST_WAIT_DAYS,
        ),
        Goal(
            "at most one query a second and registry's server",
            f"{queries:,} on the busiest day",
            queries <= MOST_QUERIES_A_DAY,
        ),
    ]
    return [asdict(goal) for goal in found]


def _outdone(figures: Mapping[str, Any], routes: Iterable[Route]) -> list[str]:
    """The routes on which other policies protect a greater share, in words, with all shares."""
    outdone = []
    for route in routes:
        shares = {name: _protected(of, route) for name, of in figures["watchers"].items()}
        own = shares[ADAPTIVE]
        if better := [f"{name} {share:.1%}" for name, share in shares.items() if share > own]:
            outdone.append(f"{route.value}: {own:.1%}, but {', '.join(better)}")
    return outdone


def _wronged(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {of['mistakes']['all']['mean']:,.0f}" for name, of in figures["watchers"].items())


def _protected(of: Mapping[str, Any], route: Route) -> float:
    share: float | None = of["routes"][route.value]["share"]["mean"]
    return share or 0.0


def _worse(found: Mapping[str, Any], end: str) -> float:
    value: float = found["mean"] if found[end] is None else found[end]
    return value


def _between(found: Mapping[str, Any], digits: str) -> str:
    return "" if found["low"] is None else f" ({found['low']:{digits}}-{found['high']:{digits}})"
