"""What is counted of a hand-made domain's year."""

import pytest
from lapsewatch.core.cadence import Cadence, Pace

from evaluation.outlook import Skies
from evaluation.routes import Route
from evaluation.score import AT_FIRST, IN_WARM_UP, LATER, NEVER, Escape, Mistake, Tally
from evaluation.watchers import CorroboratedWatcher, PypiWatcher, RubygemsWatcher, Watcher
from evaluation.year import WARM_UP_DAYS
from simulator.delegations import Delegation
from simulator.faults import FaultKind
from simulator.lives import Life, Phase
from simulator.year.domains import YearDomain

from .lives import PARKED_IN_GRACE, auctioned, bad_days, lapsing, made, noon, scene

PYPI = PypiWatcher("pypi", 30)
SLOW_PYPI = PypiWatcher("slow pypi", 400)
RUBYGEMS = RubygemsWatcher()
MONTHLY = CorroboratedWatcher("monthly", Pace(Cadence.MONTHLY))
ADAPTIVE = CorroboratedWatcher("adaptive", Pace(Cadence.ADAPTIVE, 12))

IN_ORDER = Life.active(noon(700))
NONE_IN_GRACE = {Phase.GRACE: Delegation.NONE}
NEVER_MAIL = {Phase.ACTIVE: Delegation.NO_MAIL}


def scored(watcher: Watcher, domain: YearDomain, skies: Skies | None = None, weight: int = 1) -> Tally:
    tally = Tally()
    tally.score(watcher, scene(domain, skies, weight))
    return tally


def test_protected_is_who_was_unverified_before_a_stranger_could_come() -> None:
    tally = scored(ADAPTIVE, made(lapsing(), address_count=3))
    assert tally.protected == tally.lapses == {Route.REGISTRY_TELLS: 1}
    assert tally.protected_by_mistake[Route.REGISTRY_TELLS] == 0
    assert not tally.escapes
    assert not tally.mistakes
    assert tally.unverified == {141: 3}


def test_delay_counts_from_the_beginning_of_redemption() -> None:
    # Noon of day 140 to half past midnight of day 141.
    assert scored(ADAPTIVE, made(lapsing())).delay_hours == {(Route.REGISTRY_TELLS, 12): 1}
    # Unverified in grace: before redemption.
    in_grace = made(lapsing(), quirks={Phase.GRACE: "inactive"}, delegations=NONE_IN_GRACE)
    assert scored(RUBYGEMS, in_grace).delay_hours == {(Route.REGISTRY_TELLS, 12 - 40 * 24): 1}
    assert scored(ADAPTIVE, made(auctioned(), delegations=PARKED_IN_GRACE)).delay_hours == {}


def test_one_address_that_is_left_is_a_lapse_that_is_missed() -> None:
    domain = made(lapsing(grace=1), address_count=40)
    tally = scored(SLOW_PYPI, domain)
    assert 0 < sum(tally.unverified.values()) < 40
    assert tally.escapes == {(Route.REGISTRY_TELLS, Escape.TOO_RARELY): 1}
    assert tally.delay_hours == {(Route.REGISTRY_TELLS, NEVER): 1}


def test_unverified_after_the_release_but_before_a_stranger_came_counts_apart() -> None:
    domain = made(lapsing(grace=1).re_registered(noon(160)), "de")
    # The API is out of order for the whole of redemption and the days after it.
    tally = scored(RUBYGEMS, domain, bad_days(FaultKind.SERVER_ERROR, *range(100, 150)))
    assert tally.escapes == {(Route.FLAGS_TELL, Escape.OUTAGE): 1}
    assert tally.held == tally.protected_when_held == {Route.FLAGS_TELL: 1}


@pytest.mark.parametrize("watcher", [PYPI, RUBYGEMS], ids=["pypi", "rubygems"])
def test_on_what_only_the_registry_shows_nobody_acts_who_does_not_ask_it(watcher: Watcher) -> None:
    tally = scored(watcher, made(auctioned(), delegations=PARKED_IN_GRACE))
    assert tally.escapes == {(Route.AUCTION_SEEN, Escape.NOT_BY_ITS_RULE): 1}


@pytest.mark.parametrize(
    "watcher", [PYPI, RUBYGEMS, MONTHLY, ADAPTIVE], ids=["pypi", "rubygems", "monthly", "adaptive"]
)
def test_what_nobody_could_see_is_missed_without_a_reason(watcher: Watcher) -> None:
    tally = scored(watcher, made(IN_ORDER, sold_at=noon(200)))
    assert tally.lapses == {Route.SOLD: 1}
    assert not tally.protected
    assert not tally.escapes


@pytest.mark.parametrize(
    ("life", "skies", "mistake"),
    [
        (IN_ORDER.held(noon(100), noon(300)), Skies(None), (LATER, Mistake.ON_HOLD)),
        (IN_ORDER, bad_days(FaultKind.FALSE_INACTIVE, *range(100, 130)), (LATER, Mistake.IN_BAD_WEATHER)),
        (IN_ORDER, bad_days(FaultKind.UNKNOWN_STORM, *range(100, 130)), (LATER, Mistake.IN_BAD_WEATHER)),
        (IN_ORDER, bad_days(FaultKind.UNKNOWN_STORM, *range(30)), (AT_FIRST, Mistake.IN_BAD_WEATHER)),
    ],
    ids=["a hold", "a bad day", "a storm", "a storm at first"],
)
def test_who_unverifies_an_owner_who_has_paid_is_wrong(life: Life, skies: Skies, mistake: tuple[str, Mistake]) -> None:
    tally = scored(PYPI, made(life, address_count=2), skies)
    assert tally.mistakes == {mistake: 2}
    assert not scored(ADAPTIVE, made(life, address_count=2), skies).mistakes


def test_an_oddity_is_a_mistake_of_another_kind() -> None:
    tally = scored(PYPI, made(IN_ORDER, quirks={Phase.ACTIVE: "undelegated active"}))
    assert tally.mistakes == {(AT_FIRST, Mistake.OTHERWISE): 1}
    assert tally.days_until_right == {NEVER: 1}


def test_a_mistake_lasts_until_nothing_speaks_against_the_address() -> None:
    tally = scored(RUBYGEMS, made(IN_ORDER, delegations=NEVER_MAIL), bad_days(FaultKind.FALSE_INACTIVE, 100, 101, 102))
    assert tally.mistakes == {(LATER, Mistake.IN_BAD_WEATHER): 1}
    assert tally.days_until_right == {3: 1}


def test_protected_by_a_mistake_is_told_apart() -> None:
    tally = scored(PYPI, made(lapsing(), quirks={Phase.ACTIVE: "undelegated active"}))
    assert tally.protected == tally.protected_by_mistake == {Route.REGISTRY_TELLS: 1}
    assert tally.mistakes == {(AT_FIRST, Mistake.OTHERWISE): 1}


@pytest.mark.parametrize(("life", "count"), [(lapsing().renewed(noon(150)), 2), (lapsing(), 0)])
def test_an_owner_who_comes_back_was_not_wronged(life: Life, count: int) -> None:
    tally = scored(ADAPTIVE, made(life, address_count=2))
    assert tally.came_back == count
    assert tally.unverified == {141: 2}
    assert not tally.mistakes


def test_what_was_played_stands_for_the_others() -> None:
    one, ten = scored(ADAPTIVE, made(IN_ORDER)), scored(ADAPTIVE, made(IN_ORDER), weight=10)
    assert (ten.domains, ten.addresses) == (10, 10)
    assert (ten.paid, ten.registry, ten.dns) == (10 * one.paid, 10 * one.registry, 10 * one.dns)
    assert max(ten.by_server.values()) == 10
    assert {server for server, _ in ten.by_server} == {"verisign"}


def test_tallies_add_up() -> None:
    domains = [made(lapsing()), made(lapsing().renewed(noon(150)), "de"), made(IN_ORDER, "fr")]
    together = Tally()
    for domain in domains:
        together.score(ADAPTIVE, scene(domain))
    added = Tally()
    for domain in domains:
        added.add(scored(ADAPTIVE, domain))
    assert added == together


def test_a_mistake_after_the_first_check_of_the_warm_up_counts_apart() -> None:
    bad = bad_days(FaultKind.FALSE_INACTIVE, WARM_UP_DAYS - 1)
    no_mail = made(IN_ORDER, delegations=NEVER_MAIL)
    assert scored(RUBYGEMS, no_mail, bad).mistakes == {(IN_WARM_UP, Mistake.IN_BAD_WEATHER): 1}
    bad = bad_days(FaultKind.FALSE_INACTIVE, WARM_UP_DAYS)
    assert scored(RUBYGEMS, no_mail, bad).mistakes == {(LATER, Mistake.IN_BAD_WEATHER): 1}


@pytest.mark.parametrize(("day", "count"), [(WARM_UP_DAYS - 2, 0), (WARM_UP_DAYS - 1, 1)])
def test_who_comes_back_is_counted_from_the_first_counted_day(day: int, count: int) -> None:
    # Redemption begins at noon of the day, and the next run sees it.
    tally = scored(RUBYGEMS, made(lapsing(day - 40).renewed(noon(day + 10))))
    assert tally.unverified == {day + 1: 1}
    assert tally.came_back == count
