"""Plays the contest: every watcher over every domain of every seed, a chunk of domains at a time, on several cores."""

import math
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from lapsewatch.core.cadence import Cadence, Pace, api_interval

from evaluation.outlook import Shown, skies_of, tld_of
from evaluation.routes import lapse_of
from evaluation.score import Scene, Tally
from evaluation.sensitivity import OTHER_DOMAINS, OTHER_WEATHER, Change, met_other_weather
from evaluation.watchers import (
    PYPI_INTERVAL,
    PYPI_ROWS_A_DAY,
    CorroboratedWatcher,
    PypiWatcher,
    RubygemsWatcher,
    Watcher,
)
from evaluation.year import EPOCH
from simulator.lives import EventKind, Phase
from simulator.year.assumptions import ASSUMPTIONS, Assumptions
from simulator.year.domains import YearDomain, year_domains
from simulator.year.sights import registry_answers

SHARES = (0.0, 0.25, 0.5)
"""Of the lapsing domains, those whose registrar auctions them in grace; nobody knows how many these are."""

MAIN_SHARE = 0.25
CALLS_A_YEAR = 12.0
BUDGETS = (5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 16.0, 24.0)
VARIANT_SEEDS = 3
"""The first years in which the curve, the other shares of auctions and the other assumptions are played too."""

PLAIN_SAMPLE = 10
"""Of the domains of a TLD to which nothing happens but a renewal in time, one in so many is played, for all of them."""

SAMPLE_STEP = 7
"""Prime to the sample: ten chunks begin at ten places."""

FULL_SIZE = 100_000
"""Domains of a world that PyPI's rows a day are meant for; in a smaller one, rows a day are fewer in proportion."""

CHUNK = 2_500

_UNEVENTFUL = {EventKind.REGISTERED, EventKind.RENEWED, EventKind.AUTO_RENEWED}

PYPI_DESIGNED, PYPI_DEPLOYED, RUBYGEMS = "pypi, as designed", "pypi, as deployed", "rubygems"
MONTHLY, ADAPTIVE = "corroborated, monthly", "corroborated, adaptive"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some domains of a seed, and whether they are played for the curve and the variants of the world too."""

    seed: str
    numbers: range
    with_variants: bool


@dataclass(frozen=True, slots=True)
class Size:
    """How much is played: so many seeds, and domains of each."""

    seeds: int
    domains: int


@dataclass
class SeedResult:
    """What came of one seed: tallies by the worlds that the domains live in and watcher, and for the curve.

    A world is named by its share of auctions. The curve is of the domains whose registry does not answer, at the main
    share, by the days between two calls about one. The changes are what other assumptions do to the adaptive cadence at
    the main share.
    """

    tallies: dict[tuple[tuple[float, ...], str], Tally] = field(default_factory=dict)
    curve: dict[int, Tally] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)

    def add(self, other: "SeedResult") -> None:
        """Add what came of other domains of the seed."""
        _add(self.tallies, other.tallies)
        _add(self.curve, other.curve)
        for name, change in other.changes.items():
            self.changes.setdefault(name, Change()).add(change)

    def of(self, share: float, name: str) -> Tally:
        """Return what came of all domains under a share of auctions and a watcher."""
        whole = Tally()
        for (shares, watcher), tally in self.tallies.items():
            if share in shares and watcher == name:
                whole.add(tally)
        return whole


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


def play(size: Size, jobs: int, tell: Callable[[int], None]) -> list[SeedResult]:
    """Play the contest in so many processes; return what came of each seed.

    `tell` hears now and then how many domains have been played.
    """
    seeds = [str(number) for number in range(1, size.seeds + 1)]
    chunks = [
        Chunk(seed, range(first, min(first + CHUNK, size.domains)), with_variants=index < VARIANT_SEEDS)
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
            tell(played)
    return list(results.values())


def play_chunk(chunk: Chunk) -> SeedResult:
    """Play some domains under every watcher, and under every share of auctions and other variant of the world."""
    result, other_skies = SeedResult(), {}
    contestants = {watcher.name: watcher for watcher in watchers()}
    if chunk.with_variants:
        other_skies = {name: skies_of(chunk.seed, assumed) for name, assumed in OTHER_WEATHER.items()}
        result.changes = {name: Change() for name in (*OTHER_DOMAINS, *OTHER_WEATHER)}
        _play_other_domains(chunk, contestants[ADAPTIVE], result.changes)
    for scene, shares in _scenes(chunk):
        seen = {}
        for name, watcher in contestants.items():
            tally = result.tallies.setdefault((shares, name), Tally())
            seen[name] = tally.score(watcher, scene, with_reasons=MAIN_SHARE in shares)
        if chunk.with_variants and MAIN_SHARE in shares:
            for name, skies in other_skies.items():
                if met_other_weather(seen[ADAPTIVE], scene.shown.tld, scene.skies, skies):
                    result.changes[name].score(contestants[ADAPTIVE], scene, replace(scene, skies=skies))
            # Where the registry answers, the same is asked with any budget.
            for interval in set() if scene.shown.has_registry else {interval_for(budget) for budget in BUDGETS}:
                result.curve.setdefault(interval, Tally()).score(_adaptive(interval), scene, with_reasons=False)
    return result


def _play_other_domains(chunk: Chunk, watcher: Watcher, changes: Mapping[str, Change]) -> None:
    as_is = list(_domains(chunk.seed, chunk.numbers, MAIN_SHARE))
    for name, assumed in OTHER_DOMAINS.items():
        for one, other in zip(as_is, _domains(chunk.seed, chunk.numbers, MAIN_SHARE, assumed), strict=True):
            if one != other:
                scenes = (_scene(chunk.seed, domain) for domain in (one, other))
                changes[name].score(watcher, *scenes)


def _scenes(chunk: Chunk) -> Iterator[tuple[Scene, tuple[float, ...]]]:
    """Yield what is to be played, and in the worlds of which shares of auctions.

    Who is not auctioned at the largest share is so at none, and lives the same life in all worlds.
    """
    plain_count: Counter[str] = Counter()
    # Each chunk begins elsewhere, so that no top-level domain, however small, is counted too often or too rarely.
    start = PLAIN_SAMPLE // 2 + chunk.numbers.start // CHUNK * SAMPLE_STEP
    for number, domain in zip(chunk.numbers, _domains(chunk.seed, chunk.numbers, max(SHARES)), strict=True):
        if _is_auctioned(domain):
            for share in SHARES if chunk.with_variants else (MAIN_SHARE,):
                [same] = _domains(chunk.seed, range(number, number + 1), share)
                yield _scene(chunk.seed, same), (share,)
        elif not _is_plain(domain):
            yield _scene(chunk.seed, domain), SHARES
        else:
            tld = tld_of(domain.name)
            if (plain_count[tld] + start) % PLAIN_SAMPLE == 0:
                yield _scene(chunk.seed, domain, weight=PLAIN_SAMPLE), SHARES
            plain_count[tld] += 1


def _scene(seed: str, domain: YearDomain, weight: int = 1) -> Scene:
    shown = Shown(domain)
    return Scene(domain, shown, lapse_of(domain, shown), skies_of(seed), weight)


def _domains(seed: str, numbers: range, share: float, assumed: Assumptions = ASSUMPTIONS) -> Iterator[YearDomain]:
    return year_domains(seed, numbers, EPOCH, share, assumed=assumed)


def _is_auctioned(domain: YearDomain) -> bool:
    return any(event.kind is EventKind.HANDED_OVER for event in domain.life.events)


def _is_plain(domain: YearDomain) -> bool:
    """Tell whether a domain is renewed in time, never on hold or sold, and shows in order what most show."""
    is_usual = Phase.ACTIVE not in domain.quirks and Phase.ACTIVE not in domain.delegations
    return is_usual and domain.sold_at is None and all(event.kind in _UNEVENTFUL for event in domain.life.events)
