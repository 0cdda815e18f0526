"""Plays the contest: every watcher over every domain of every seed, a chunk of domains at a time, on several cores."""

import math
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from lapsewatch.core.cadence import Cadence, Pace, api_interval

from evaluation.outlook import Skies, skies_of, tld_of
from evaluation.routes import lapse_of
from evaluation.score import Tally
from evaluation.watchers import (
    PYPI_INTERVAL,
    PYPI_ROWS_A_DAY,
    CorroboratedWatcher,
    PypiWatcher,
    RubygemsWatcher,
    Watcher,
)
from evaluation.year import EPOCH
from simulator.lives import EventKind
from simulator.year.assumptions import ASSUMPTIONS
from simulator.year.domains import YearDomain, year_domains
from simulator.year.sights import registry_answers

SHARES = (0.0, 0.25, 0.5)
"""Of the lapsing domains, those whose registrar auctions them in grace; nobody knows how many these are."""

MAIN_SHARE = 0.25
CALLS_A_YEAR = 12.0
BUDGETS = (5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 16.0, 24.0)
CURVE_SEEDS = 3

CURVE_SAMPLE = 10
"""Of the domains without a lapse, one in so many is played for the curve: only their calls count there."""

FULL_SIZE = 100_000
"""Domains of a world that PyPI's rows a day are meant for; in a smaller one, rows a day are fewer in proportion."""

CHUNK = 2_500

PYPI_DESIGNED, PYPI_DEPLOYED, RUBYGEMS = "pypi, as designed", "pypi, as deployed", "rubygems"
MONTHLY, ADAPTIVE = "corroborated, monthly", "corroborated, adaptive"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some domains of a seed, and whether they are played for the curve too."""

    seed: str
    numbers: range
    with_curve: bool


@dataclass(frozen=True, slots=True)
class Size:
    """How much is played: so many seeds, and domains of each."""

    seeds: int
    domains: int


@dataclass
class SeedResult:
    """What came of one seed: tallies by share of auctions and watcher, and for the curve by days between calls.

    The curve is of the domains whose registry does not answer, at the main share: of those that lapse, and of a sample
    of the others.
    """

    shares: dict[tuple[float, str], Tally] = field(default_factory=dict)
    curve_lapsing: dict[int, Tally] = field(default_factory=dict)
    curve_sample: dict[int, Tally] = field(default_factory=dict)

    def add(self, other: "SeedResult") -> None:
        """Add what came of other domains of the seed."""
        _add(self.shares, other.shares)
        _add(self.curve_lapsing, other.curve_lapsing)
        _add(self.curve_sample, other.curve_sample)


K = TypeVar("K")


def _add(mine: dict[K, Tally], others: Mapping[K, Tally]) -> None:
    for key, tally in others.items():
        mine.setdefault(key, Tally()).add(tally)


@cache
def interval_for(calls_per_year: float) -> int:
    """Return the days between calls about a domain whose registry does not answer, in this world."""
    unheard = sum(zone.share for zone in ASSUMPTIONS.zones if not registry_answers(zone.tld))
    return api_interval(FULL_SIZE, round(unheard * FULL_SIZE), calls_per_year)


@cache
def pypi_interval() -> int:
    """Return the days between calls about a row at PyPI's rows a day, in a world of full size."""
    weights = ASSUMPTIONS.address_counts
    rows = FULL_SIZE * sum(number * weight for number, weight in weights) / sum(weight for _, weight in weights)
    return max(math.ceil(rows / PYPI_ROWS_A_DAY), PYPI_INTERVAL)


def watchers() -> list[Watcher]:
    """Return the contestants."""
    return [
        PypiWatcher(PYPI_DEPLOYED, pypi_interval()),
        PypiWatcher(PYPI_DESIGNED, PYPI_INTERVAL),
        RubygemsWatcher(RUBYGEMS),
        CorroboratedWatcher(MONTHLY, Pace(Cadence.MONTHLY)),
        _adaptive(interval_for(CALLS_A_YEAR)),
    ]


def _adaptive(interval: int) -> CorroboratedWatcher:
    return CorroboratedWatcher(ADAPTIVE, Pace(Cadence.ADAPTIVE, interval))


def play(size: Size, jobs: int, tell: Callable[[int, int], None]) -> dict[str, SeedResult]:
    """Play the contest on so many cores; return what came of each seed.

    `tell` hears now and then how many domains of how many have been played.
    """
    seeds = [str(number) for number in range(1, size.seeds + 1)]
    chunks = [
        Chunk(seed, range(first, min(first + CHUNK, size.domains)), with_curve=index < CURVE_SEEDS)
        for index, seed in enumerate(seeds)
        for first in range(0, size.domains, CHUNK)
    ]
    results = {seed: SeedResult() for seed in seeds}
    played = 0
    with multiprocessing.Pool(jobs) as pool:
        # In order, so that every figure comes out the same however many cores there are.
        for chunk, result in zip(chunks, pool.imap(play_chunk, chunks), strict=True):
            results[chunk.seed].add(result)
            played += len(chunk.numbers)
            tell(played, size.seeds * size.domains)
    return results


def play_chunk(chunk: Chunk) -> SeedResult:
    """Play some domains under every watcher and every share of auctions."""
    result, skies, contestants = SeedResult(), skies_of(chunk.seed), watchers()
    alike = {watcher.name: Tally() for watcher in contestants}
    for number, domain in zip(chunk.numbers, _domains(chunk.seed, chunk.numbers, max(SHARES)), strict=True):
        if _is_auctioned(domain):
            # Who is not auctioned at the largest share is at none: the others live the same life in all worlds.
            for share in SHARES:
                [other] = _domains(chunk.seed, range(number, number + 1), share)
                for watcher in contestants:
                    tally = result.shares.setdefault((share, watcher.name), Tally())
                    tally.score(watcher, other, lapse_of(other), skies)
                if share == MAIN_SHARE and chunk.with_curve:
                    _play_curve(result, other, number, skies)
        else:
            lapse = lapse_of(domain)
            for watcher in contestants:
                alike[watcher.name].score(watcher, domain, lapse, skies)
            if chunk.with_curve:
                _play_curve(result, domain, number, skies)
    for share in SHARES:
        _add(result.shares, {(share, name): tally for name, tally in alike.items()})
    return result


def _play_curve(result: SeedResult, domain: YearDomain, number: int, skies: Skies) -> None:
    """Play a domain with every budget, if its registry does not answer: the others are asked the same with any."""
    if registry_answers(tld_of(domain.name)):
        return
    lapse = lapse_of(domain)
    if lapse is None and number % CURVE_SAMPLE:
        return
    tallies = result.curve_sample if lapse is None else result.curve_lapsing
    for interval in {interval_for(budget) for budget in BUDGETS}:
        tallies.setdefault(interval, Tally()).score(_adaptive(interval), domain, lapse, skies)


def _domains(seed: str, numbers: range, share: float) -> Iterator[YearDomain]:
    return year_domains(seed, numbers, EPOCH, share)


def _is_auctioned(domain: YearDomain) -> bool:
    return any(event.kind is EventKind.HANDED_OVER for event in domain.life.events)
