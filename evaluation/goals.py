"""What is asked of the adaptive cadence, held against the figures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.contest import ADAPTIVE
from evaluation.routes import VISIBLE
from evaluation.score import AT_FIRST, LATER, Mistake

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
    """Return the goals, as JSON."""
    ours = figures["watchers"][ADAPTIVE]
    others = {name: of for name, of in figures["watchers"].items() if name != ADAPTIVE}
    unlike_lapses = (Mistake.IN_BAD_WEATHER.value, Mistake.OTHERWISE.value)
    unheld = sum(ours["mistakes"][when][why]["mean"] for when in (AT_FIRST, LATER) for why in unlike_lapses)
    outdone = [
        f"{route.value}: {name}"
        for route in VISIBLE
        for name, other in others.items()
        if _protected(other, route.value) > _protected(ours, route.value)
    ]
    protected, calls = ours["visible"]["share"]["mean"], ours["calls"]["mean"]
    median, queries = ours["delay_days"]["median"], ours["busiest_server"]["queries_a_day"]
    found = [
        Goal(f"at most {MOST_CALLS} paid calls a domain and year", f"{calls:.2f}", calls <= MOST_CALLS),
        Goal(
            f"at least {LEAST_PROTECTED:.0%} of the lapses that any observer could have seen are protected",
            f"{protected:.2%}",
            protected >= LEAST_PROTECTED,
        ),
        Goal("more than any other policy on every such route", ", ".join(outdone) or "as many or more", not outdone),
        Goal(
            "nobody who has paid is unverified, but for holds that look like lapses",
            f"{unheld:.2f} of 100,000 addresses",
            unheld == 0,
        ),
        Goal(
            "and even so fewer than 1 of 100,000 addresses and year",
            f"{ours['mistakes']['all']['mean']:.2f}",
            ours["mistakes"]["all"]["mean"] < MOST_MISTAKES,
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


def _protected(of: Mapping[str, Any], route: str) -> float:
    share: float | None = of["routes"][route]["share"]["mean"]
    return share or 0.0
