"""From tallies to figures: shares, rates and delays, each with what chance leaves open between seeds."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from lapsewatch.core.breaker import RUN_LIMITS
from scipy.stats import t as student

from evaluation.contest import (
    ADAPTIVE,
    BUDGETS,
    CALLS_A_YEAR,
    MAIN_SHARE,
    SHARES,
    VARIANT_SEEDS,
    SeedResult,
    interval_for,
    watchers,
)
from evaluation.routes import VISIBLE, Route
from evaluation.score import AT_FIRST, IN_WARM_UP, LATER, NEVER, Mistake, Tally
from evaluation.year import WARM_UP_DAYS

CONFIDENCE = 0.95
RULE_OF_THREE = 3
"""What was never seen in N is rarer than 3 / N, with a confidence of 95 %."""

DOLLARS_PER_CALL = 0.001
"""Fastly's list price of a precise answer."""

PER = 100_000
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


def share(hits: Sequence[int], of: Sequence[int]) -> Figures:
    """Return a share (0 to 1) with its interval; where it is 0 or 1 in every seed, by the rule of three."""
    whole = sum(of)
    if not whole:
        return {"mean": None, "low": None, "high": None}
    if sum(hits) == whole:
        return {"mean": 1.0, "low": _rounded(max(1 - RULE_OF_THREE / whole, 0.0)), "high": 1.0}
    if sum(hits) == 0:
        return {"mean": 0.0, "low": 0.0, "high": _rounded(min(RULE_OF_THREE / whole, 1.0))}
    found = estimate(part / some for part, some in zip(hits, of, strict=True) if some)
    return found | {key: min(max(found[key], 0.0), 1.0) for key in ("low", "high") if found[key] is not None}


def rate(counts: Sequence[int], of: Sequence[int], played: int, per: int = PER) -> Figures:
    """Return so many in `per`, with its interval; where there is none in all that was played, by the rule of three."""
    if not sum(counts):
        return {"mean": 0.0, "low": 0.0, "high": _rounded(RULE_OF_THREE / played * per)}
    found = estimate(count / some * per for count, some in zip(counts, of, strict=True))
    return found if found["low"] is None else found | {"low": max(found["low"], 0.0)}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _of_watcher(tallies: Sequence[Tally]) -> Figures:
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return {
        "domains": whole.domains,
        "addresses": whole.addresses,
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
            f"{limit} addresses": estimate(
                sum(count > limit for day, count in tally.unverified.items() if day >= WARM_UP_DAYS)
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
    by_seed = [_delay_hours(tally, routes) for tally in tallies]
    pooled: Counter[int] = Counter()
    for delays in by_seed:
        pooled.update(delays)
    medians = [quantile(delays, 0.5) for delays in by_seed]
    in_time = max((hours for hours in pooled if hours != NEVER), default=None)
    return {
        "median": _days(quantile(pooled, 0.5)),
        "median_between_seeds": [_days(min(medians, key=_never_last)), _days(max(medians, key=_never_last))],
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


def _never_last(hours: int | None) -> int:
    return NEVER if hours is None else hours


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
        "all": of((AT_FIRST, IN_WARM_UP, LATER), Mistake),
        AT_FIRST: {"all": of((AT_FIRST,), Mistake), **{why.value: of((AT_FIRST,), (why,)) for why in Mistake}},
        LATER: {"all": of((LATER,), Mistake), **{why.value: of((LATER,), (why,)) for why in Mistake}},
    }


def _rate_of(tallies: Sequence[Tally], count: Callable[[Tally], int]) -> Figures:
    """Of 100,000 addresses."""
    played = sum(tally.played_addresses for tally in tallies)
    return rate([count(tally) for tally in tallies], [tally.addresses for tally in tallies], played)


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
