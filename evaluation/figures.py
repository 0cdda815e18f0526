"""From tallies to figures: shares, rates and delays, each with what chance leaves open between seeds."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np
from lapsewatch.core.breaker import RUN_LIMITS
from scipy.stats import binomtest, bootstrap
from scipy.stats import t as student

from evaluation.contest import (
    ADAPTIVE,
    BUDGETS,
    CALLS_A_YEAR,
    MAIN_SHARE,
    PLAIN_SAMPLE,
    SHARES,
    VARIANT_SEEDS,
    SeedResult,
    interval_for,
    watchers,
)
from evaluation.routes import VISIBLE, Route
from evaluation.score import NEVER, TIMES, Mistake, Tally
from evaluation.sensitivity import OTHER_DOMAINS, OTHER_WEATHER, Change
from evaluation.year import WARM_UP_DAYS

CONFIDENCE = 0.95
RULE_OF_THREE = 3
"""What was never seen in N is rarer than 3 / N, with a confidence of 95 %, as far as each is a case of its own."""

DOLLARS_PER_CALL = 0.001
"""Fastly's list price of a precise answer."""

PER = 100_000
SEED = 1
"""Of the draws behind an interval, so that it comes out the same again."""

RUBYGEMS_CAP = 20
"""Users; above it nobody is blocked before a person has looked (rubygems.org, VerifyUserEmailDomainsJob)."""

HOURS_A_DAY = 24

Figures = dict[str, Any]


def figures(results: Sequence[SeedResult]) -> Figures:
    """Return all figures of a contest, as JSON."""
    main = {watcher.name: [seed.of(MAIN_SHARE, watcher.name) for seed in results] for watcher in watchers()}
    variants = results[:VARIANT_SEEDS]
    return {
        "watchers": {name: _of_watcher(tallies) for name, tallies in main.items()},
        "auction_shares": {
            f"{share:.0%}": {
                watcher.name: _protection([seed.of(share, watcher.name) for seed in variants], VISIBLE)
                | {"any route": _protection([seed.of(share, watcher.name) for seed in variants], tuple(Route))["share"]}
                for watcher in watchers()
            }
            for share in SHARES
        },
        "sensitivity": {
            "as assumed": _under([seed.of(MAIN_SHARE, ADAPTIVE) for seed in variants], [Change() for _ in variants]),
            **{
                name: _under(
                    [seed.of(MAIN_SHARE, ADAPTIVE) for seed in variants], [of.changes[name] for of in variants]
                )
                for name in (*OTHER_WEATHER, *OTHER_DOMAINS)
            },
        },
        "curve": _curve(variants),
    }


def estimate(values: Iterable[float]) -> Figures:
    """Return the mean over seeds with its 95 % interval by Student's t; of a single seed there is none."""
    values = list(values)
    mean = fmean(values)
    if len(values) < 2:
        return {"mean": _rounded(mean), "low": None, "high": None}
    half = student.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return {"mean": _rounded(mean), "low": _rounded(mean - half), "high": _rounded(mean + half)}


def count(values: Iterable[float]) -> Figures:
    """Return the mean over seeds of what is rare, with the middle 95 % of the means of seeds drawn from them again.

    Unlike Student's t it never goes below nought; of a single seed there is no interval.
    """
    values = list(values)
    if len(values) < 2:
        return estimate(values)
    found = bootstrap(
        (values,), np.mean, confidence_level=CONFIDENCE, method="percentile", rng=SEED
    ).confidence_interval
    return {"mean": _rounded(fmean(values)), "low": _rounded(found.low), "high": _rounded(found.high)}


def share(hits: Sequence[int], of: Sequence[int]) -> Figures:
    """Return a share (0 to 1) of all seeds' with its exact binomial interval (Clopper and Pearson)."""
    whole = sum(of)
    if not whole:
        return {"mean": None, "low": None, "high": None}
    found = binomtest(sum(hits), whole).proportion_ci(CONFIDENCE, method="exact")
    return {"mean": _rounded(sum(hits) / whole), "low": _rounded(found.low), "high": _rounded(found.high)}


def rate(counts: Sequence[int], of: Sequence[int], per: int = PER) -> Figures:
    """Return so many in `per`, with its interval; where there is none, by the rule of three.

    Then most of the others were not played: what was, stands for up to `PLAIN_SAMPLE` of its like.
    """
    if not sum(counts):
        return {"mean": 0.0, "low": 0.0, "high": _rounded(RULE_OF_THREE * PLAIN_SAMPLE / sum(of) * per)}
    return count(found / some * per for found, some in zip(counts, of, strict=True))


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _of_watcher(tallies: Sequence[Tally]) -> Figures:
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return {
        "domains": whole.domains,
        "addresses": whole.addresses,
        "all": _protection(tallies, tuple(Route)),
        "visible": _protection(tallies, VISIBLE),
        "routes": {
            route.value: _protection(tallies, (route,)) | {"delay_days": _delays(tallies, (route,))} for route in Route
        },
        "before a stranger held it": share(
            [tally.protected_when_held.total() for tally in tallies], [tally.held.total() for tally in tallies]
        ),
        "escapes": _nested(whole.escapes),
        "delay_days": _delays(tallies, VISIBLE) | {"cumulative": _cumulative(_delay_hours(whole, VISIBLE))},
        "mistakes": _mistakes(tallies),
        "days_until_right": _until_right(whole.days_until_right),
        "came_back": _rate_of(tallies, lambda tally: tally.came_back),
        "calls": estimate(tally.paid / tally.domains for tally in tallies),
        "dollars": estimate(tally.paid / tally.domains * PER * DOLLARS_PER_CALL for tally in tallies),
        "registry": estimate(tally.registry / tally.domains for tally in tallies),
        "dns": estimate(tally.dns / tally.domains for tally in tallies),
        "busiest_server": _busiest(tallies),
        "longest_wait_days": whole.longest_wait,
        "days_above": {
            f"{limit} addresses": count(
                sum(addresses > limit for day, addresses in tally.unverified.items() if day >= WARM_UP_DAYS)
                for tally in tallies
            )
            for limit in (RUBYGEMS_CAP, RUN_LIMITS.addresses)
        },
    }


def _protection(tallies: Sequence[Tally], routes: Iterable[Route]) -> Figures:
    routes = tuple(routes)
    lapses = [sum(tally.lapses[route] for route in routes) for tally in tallies]
    protected = [sum(tally.protected[route] for route in routes) for tally in tallies]
    return {
        "lapses": sum(lapses),
        "protected": sum(protected),
        "by_mistake": sum(tally.protected_by_mistake[route] for tally in tallies for route in routes),
        "share": share(protected, lapses),
    }


def _nested(counts: Mapping[tuple[Any, Any], int]) -> Figures:
    nested: Figures = {}
    for (outer, inner), count in sorted(counts.items()):
        nested.setdefault(str(outer), {})[str(inner)] = count
    return nested


def _delays(tallies: Sequence[Tally], routes: Collection[Route]) -> Figures:
    """Days from the beginning of redemption to the unverification, of lapses that have one; None stands for never."""
    pooled: Counter[int] = Counter()
    for tally in tallies:
        pooled.update(_delay_hours(tally, routes))
    in_time = max((hours for hours in pooled if hours != NEVER), default=None)
    return {
        "median": _days(quantile(pooled, 0.5)),
        "95 %": _days(quantile(pooled, 0.95)),
        "worst": _days(in_time),
        "never": pooled[NEVER],
        "of": pooled.total(),
    }


def _delay_hours(tally: Tally, routes: Collection[Route]) -> Counter[int]:
    delays: Counter[int] = Counter()
    for (route, hours), count in tally.delay_hours.items():
        if route in routes:
            delays[hours] += count
    return delays


def quantile(counts: Mapping[int, int], part: float) -> int | None:
    """Return the smallest value that is not exceeded by so great a part; None where there are no values."""
    wanted, seen = part * sum(counts.values()), 0
    for value, count in sorted(counts.items()):
        seen += count
        if seen >= wanted:
            return value
    return None


def _days(hours: int | None) -> float | None:
    return None if hours is None or hours == NEVER else round(hours / HOURS_A_DAY, 2)


def _cumulative(hours: Mapping[int, int]) -> list[tuple[int, float]]:
    """The share unverified by the end of each day of redemption, from 45 days before it begins to 65 after."""
    whole = sum(hours.values())
    ends = range(-45, 66)
    return [
        (end, _rounded(sum(n for at, n in hours.items() if at <= end * HOURS_A_DAY) / whole)) for end in ends if whole
    ]


def _mistakes(tallies: Sequence[Tally]) -> Figures:
    def of(whens: Iterable[str], whys: Iterable[Mistake]) -> Figures:
        keys = [(when, why) for when in whens for why in whys]
        return _rate_of(tallies, lambda tally: sum(tally.mistakes[key] for key in keys))

    return {
        "all": of(TIMES, Mistake),
        **{
            when: {"all": of((when,), Mistake), **{why.value: of((when,), (why,)) for why in Mistake}} for when in TIMES
        },
    }


def _rate_of(tallies: Sequence[Tally], number: Callable[[Tally], int]) -> Figures:
    """Of 100,000 addresses."""
    return rate([number(tally) for tally in tallies], [tally.addresses for tally in tallies])


def _until_right(days: Counter[int]) -> Figures:
    whole = days.total()
    within = [number for number in days if number != NEVER]
    median = quantile(days, 0.5)
    return {
        "median": None if median == NEVER else median,
        "worst": max(within, default=None),
        "not_within_the_year": _rounded(days[NEVER] / whole) if whole else None,
    }


def _busiest(tallies: Sequence[Tally]) -> Figures:
    """The most questions to one server in a day, of all seeds."""
    counts = [(count, server) for tally in tallies for (server, _), count in tally.by_server.items()]
    count, server = max(counts, default=(0, ""))
    return {"queries_a_day": count, "server": server}


def _under(as_assumed: Sequence[Tally], changes: Sequence[Change]) -> Figures:
    """What a watcher comes to where another assumption changes so much of what came of it."""

    def counts(number: Callable[[Tally], int]) -> list[int]:
        both = zip(as_assumed, changes, strict=True)
        return [number(whole) - number(change.as_is) + number(change.changed) for whole, change in both]

    lapses = counts(lambda tally: sum(tally.lapses[route] for route in VISIBLE))
    protected = counts(lambda tally: sum(tally.protected[route] for route in VISIBLE))
    return {
        "lapses": sum(lapses),
        "share": share(protected, lapses),
        "mistakes": rate(counts(lambda tally: tally.mistakes.total()), counts(lambda tally: tally.addresses)),
    }


def _curve(results: Sequence[SeedResult]) -> list[Figures]:
    """Budgets of calls against what they protect where no registry answers; elsewhere they change nothing."""
    points: dict[int, Figures] = {}
    usual = interval_for(CALLS_A_YEAR)
    for budget in BUDGETS:
        interval = interval_for(budget)
        tallies = [seed.curve[interval] for seed in results]
        wholes = [seed.of(MAIN_SHARE, ADAPTIVE) for seed in results]
        calls = [
            (whole.paid - seed.curve[usual].paid + tally.paid) / whole.domains
            for whole, tally, seed in zip(wholes, tallies, results, strict=True)
        ]
        delays = _delays(tallies, (Route.FLAGS_TELL,))
        points[interval] = {
            "calls_per_domain_year": budget,
            "interval_days": interval,
            "calls": estimate(calls),
            "announced": _protection(tallies, (Route.FLAGS_TELL,)),
            "delay_days": delays,
        }
    return list(points.values())
