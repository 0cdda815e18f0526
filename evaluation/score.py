"""What a watcher's year amounts to: who was protected, who was wronged, and what it cost. Tallies add up."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from evaluation.outlook import Outlook, Shown, Skies
from evaluation.routes import VISIBLE, Lapse, Route
from evaluation.watchers import Play, Unverified, Watcher
from evaluation.year import DAYS, RUNS, WARM_UP_DAYS, day_of
from simulator.lives import EventKind, Phase
from simulator.rdap.registries import REGISTRIES
from simulator.year.domains import YearDomain, has_lapsed


class Mistake(StrEnum):
    """In what an owner who had paid lost the trust: on hold it looks like a lapse; a bad day is the API's."""

    ON_HOLD = "on hold"
    IN_BAD_WEATHER = "in an outage or on a bad day"
    OTHERWISE = "otherwise"


class Escape(StrEnum):
    """Why a visible lapse was missed: by what the same policy would see in good weather, and asking every day."""

    NOT_BY_ITS_RULE = "its rule does not act on it"
    OUTAGE = "an outage"
    TOO_RARELY = "asked too rarely"


AT_FIRST = "at the first check"
LATER = "in the counted year, later"
IN_WARM_UP = "in the warm-up, later"
TIMES = (AT_FIRST, IN_WARM_UP, LATER)

DAYS_AHEAD = 5
"""Who asks every day to see a lapse begins so long before it."""

NEVER = 10**6
"""Stands for a time that has not come within the year."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One domain of a year, with its lapse if it has one; it stands for `weight` domains that are like it."""

    domain: YearDomain
    shown: Shown
    lapse: Lapse | None
    skies: Skies
    weight: int = 1


@dataclass
class Tally:
    """Sums over domains. Keys are in the comments; counts of addresses where they say so, else of domains."""

    domains: int = 0
    addresses: int = 0
    lapses: Counter[Route] = field(default_factory=Counter)
    protected: Counter[Route] = field(default_factory=Counter)
    # Of the protected, those whose addresses were unverified while the owner had paid.
    protected_by_mistake: Counter[Route] = field(default_factory=Counter)
    escapes: Counter[tuple[Route, Escape]] = field(default_factory=Counter)
    # A stranger came: lapses, and those protected by then.
    held: Counter[Route] = field(default_factory=Counter)
    protected_when_held: Counter[Route] = field(default_factory=Counter)
    # Hours from the beginning of redemption to the unverification, by route: NEVER, or negative.
    delay_hours: Counter[tuple[Route, int]] = field(default_factory=Counter)
    # Addresses of owners who had paid, by when and why.
    mistakes: Counter[tuple[str, Mistake]] = field(default_factory=Counter)
    # Addresses, by the days until nothing spoke against them any more.
    days_until_right: Counter[int] = field(default_factory=Counter)
    # Addresses unverified in a lapse out of which the owner came back, in the counted year.
    came_back: int = 0
    # Questions in the counted year.
    paid: int = 0
    registry: int = 0
    dns: int = 0
    # Questions by server and day of the year.
    by_server: Counter[tuple[str, int]] = field(default_factory=Counter)
    # Addresses by the day on which they were unverified.
    unverified: Counter[int] = field(default_factory=Counter)
    longest_wait: int = 0

    def add(self, other: Self) -> None:
        """Add another tally to this one."""
        for entry in fields(self):
            mine, others = getattr(self, entry.name), getattr(other, entry.name)
            if isinstance(mine, Counter):
                mine.update(others)
            elif entry.name == "longest_wait":
                self.longest_wait = max(mine, others)
            else:
                setattr(self, entry.name, mine + others)

    def score(self, watcher: Watcher, scene: Scene, *, with_reasons: bool = True) -> Outlook:
        """Let a watcher play one domain, and count what comes of it; return what it saw.

        With the reasons for which it missed what it could have seen.
        """
        domain, weight = scene.domain, scene.weight
        outlook = Outlook(scene.shown, scene.skies)
        play = watcher.play(domain, outlook)
        self.domains += weight
        self.addresses += weight * domain.address_count
        self.longest_wait = max(self.longest_wait, play.longest_wait)
        self._count_questions(outlook, scene)
        for unverified in play.unverified:
            self.unverified[unverified.day] += weight * unverified.address_count
            if not has_lapsed(domain, RUNS[unverified.day]):
                self._count_mistake(watcher, scene, unverified)
            elif unverified.day >= WARM_UP_DAYS and _comes_back(domain, unverified.day):
                self.came_back += weight * unverified.address_count
        if scene.lapse is not None:
            is_protected = self._count_lapse(scene.domain, scene.lapse, play)
            if with_reasons and not is_protected and scene.lapse.route in VISIBLE:
                self.escapes[scene.lapse.route, _why(watcher, scene, scene.lapse)] += 1
        return outlook

    def _count_questions(self, outlook: Outlook, scene: Scene) -> None:
        self.paid += scene.weight * outlook.paid_count
        self.dns += scene.weight * outlook.dns_count
        if days := outlook.registry_days:
            self.registry += scene.weight * (len(days) - bisect_left(days, WARM_UP_DAYS))
            server = _SERVERS[scene.shown.tld]
            for day in days:
                self.by_server[server, day] += scene.weight

    def _count_mistake(self, watcher: Watcher, scene: Scene, unverified: Unverified) -> None:
        day, check_number, address_count = unverified
        domain, skies = scene.domain, scene.skies
        later = LATER if day >= WARM_UP_DAYS else IN_WARM_UP
        when = AT_FIRST if check_number == 1 else later
        if domain.life.phase_at(RUNS[day]) is Phase.HELD:
            mistake = Mistake.ON_HOLD
        elif skies.status_api(scene.shown.tld)[day] is not None:
            mistake = Mistake.IN_BAD_WEATHER
        else:
            mistake = Mistake.OTHERWISE
        self.mistakes[when, mistake] += scene.weight * address_count
        right = watcher.right_again(domain, Outlook(scene.shown, skies), day)
        self.days_until_right[NEVER if right is None else right - day] += scene.weight * address_count

    def _count_lapse(self, domain: YearDomain, lapse: Lapse, play: Play) -> bool:
        """Count a lapse, and tell whether it was protected. No domain that lapses stands for others."""
        route = lapse.route
        self.lapses[route] += 1
        is_whole = sum(some.address_count for some in play.unverified) == domain.address_count
        last = max((some.day for some in play.unverified), default=None) if is_whole else None
        at = _NEVER_AT if last is None else RUNS[last]
        is_protected = at < lapse.exposed_at
        if is_protected:
            self.protected[route] += 1
            self.protected_by_mistake[route] += not has_lapsed(domain, at)
        if lapse.held_at is not None:
            self.held[route] += 1
            self.protected_when_held[route] += at < lapse.held_at
        if lapse.redemption_at is not None:
            hours = NEVER if last is None else round((at - lapse.redemption_at) / _HOUR)
            self.delay_hours[route, hours] += 1
        return is_protected


_CALM = Skies(None)
_HOUR = timedelta(hours=1)
_NEVER_AT = datetime.max.replace(tzinfo=UTC)

_PAID = {EventKind.RENEWED, EventKind.AUTO_RENEWED}
_LOST = {EventKind.HANDED_OVER, EventKind.RELEASED}
_SERVERS = {tld: registry.name for registry in REGISTRIES for tld in registry.tlds}


def _why(watcher: Watcher, scene: Scene, lapse: Lapse) -> Escape:
    domain, until = scene.domain, _last_run_before(lapse)
    in_good_weather = watcher.play(domain, Outlook(scene.shown, _CALM)).unverified
    if sum(some.address_count for some in in_good_weather if some.day <= until) == domain.address_count:
        return Escape.OUTAGE
    days = range(max(day_of(lapse.began_at) - DAYS_AHEAD, 0), until + 1)
    return Escape.TOO_RARELY if watcher.sees(domain, Outlook(scene.shown, _CALM), days) else Escape.NOT_BY_ITS_RULE


def _last_run_before(lapse: Lapse) -> int:
    day = min(day_of(lapse.exposed_at), DAYS - 1)
    return day if RUNS[day] < lapse.exposed_at else day - 1


def _comes_back(domain: YearDomain, day: int) -> bool:
    """Tell whether the next that happens to the lapsed domain, other than its getting worse, is the owner's renewal."""
    after = (event.kind for event in domain.life.events if event.at > RUNS[day])
    return next((kind for kind in after if kind in _PAID | _LOST), None) in _PAID
