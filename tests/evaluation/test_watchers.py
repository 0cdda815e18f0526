"""When each contestant asks about a domain, and when it stops trusting the addresses on it."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from lapsewatch.core.cadence import Cadence, Pace

from evaluation.memory import DomainWatch
from evaluation.outlook import Outlook, Shown, Skies
from evaluation.watchers import CorroboratedWatcher, Play, PypiWatcher, RubygemsWatcher, Watcher
from evaluation.year import DAYS, EPOCH, WARM_UP_DAYS
from simulator.delegations import Delegation
from simulator.faults import FaultKind
from simulator.lives import Life, Phase
from simulator.year.domains import YearDomain

from .lives import PARKED_IN_GRACE, auctioned, bad_days, lapsing, made, noon

PYPI = PypiWatcher("pypi", 30)
RUBYGEMS = RubygemsWatcher()
MONTHLY = CorroboratedWatcher("monthly", Pace(Cadence.MONTHLY))
ADAPTIVE = CorroboratedWatcher("adaptive", Pace(Cadence.ADAPTIVE, 12))
REDEMPTION = range(141, 171)
"""The runs in the redemption of `lapsing()`, which begins at noon of day 140."""


class Listening(Outlook):
    """Remembers the days on which the status API was asked."""

    def __init__(self, domain: YearDomain, skies: Skies | None = None) -> None:
        super().__init__(Shown(domain), skies or Skies(None))
        self.asked_on: list[int] = []

    def flags(self):
        self.asked_on.append(self.day)
        return super().flags()


def played(watcher: Watcher, domain: YearDomain, skies: Skies | None = None) -> tuple[Play, Listening]:
    outlook = Listening(domain, skies)
    return watcher.play(domain, outlook), outlook


def test_pypi_asks_about_each_row_every_30_days() -> None:
    _, outlook = played(PYPI, made(Life.active(noon(300)), address_count=2))
    gaps = [later - earlier for earlier, later in pairwise(outlook.asked_on)]
    # The second row begins anew, on a day of its own.
    assert len([gap for gap in gaps if gap != 30]) == 1
    assert min(gaps) < 0
    assert min(gaps) % 30
    assert outlook.paid_count == sum(day >= WARM_UP_DAYS for day in outlook.asked_on)


def test_pypi_asks_again_7_days_after_a_call_that_failed() -> None:
    domain = made(Life.active(noon(300)))
    usual = played(PYPI, domain)[1].asked_on
    asked_on = played(PYPI, domain, bad_days(FaultKind.SERVER_ERROR, usual[3]))[1].asked_on
    assert asked_on[:4] == usual[:4]
    assert asked_on[4:6] == [usual[3] + 7, usual[3] + 37]


def test_pypi_unverifies_each_row_when_its_turn_comes() -> None:
    play, outlook = played(PYPI, made(lapsing(), address_count=3))
    days = [row.day for row in play.unverified]
    assert len(set(days)) == 3
    assert set(days) <= set(REDEMPTION)
    assert max(outlook.asked_on) == max(days)


def test_rubygems_asks_every_day_until_the_flags_are_bad_and_the_mx_is_gone() -> None:
    play, outlook = played(RUBYGEMS, made(lapsing(), address_count=3))
    assert play.unverified == ((141, 142, 3),)
    assert outlook.paid_count == 142 - WARM_UP_DAYS
    assert played(RUBYGEMS, made(Life.active(noon(300))))[1].paid_count == 365


def test_rubygems_keeps_who_has_an_mx_however_bad_the_flags() -> None:
    assert not played(RUBYGEMS, made(Life.active(noon(300)), quirks={Phase.ACTIVE: "inactive active"}))[0].unverified


@pytest.mark.parametrize("tld", ["com", "de"])
def test_monthly_asks_the_status_api_about_everybody_every_30_days(tld: str) -> None:
    play, outlook = played(MONTHLY, made(Life.active(noon(700)), tld))
    assert {later - earlier for earlier, later in pairwise(outlook.asked_on)} == {30}
    assert outlook.asked_on[0] < 30
    assert play.longest_wait == 30


def test_adaptive_sees_a_redemption_by_its_next_run_where_the_registry_answers() -> None:
    play, outlook = played(ADAPTIVE, made(lapsing(), address_count=3))
    assert [(some.day, some.address_count) for some in play.unverified] == [(141, 3)]
    assert outlook.paid_count < 10
    assert len(outlook.registry_days) > 30


def test_adaptive_asks_more_often_where_no_registry_answers() -> None:
    play, outlook = played(ADAPTIVE, made(Life.active(noon(700)), "de"))
    assert {later - earlier for earlier, later in pairwise(outlook.asked_on[1:])} == {12}
    assert outlook.registry_days == []
    assert play.longest_wait <= 30


def test_adaptive_sees_an_auction_once_the_mail_is_lost() -> None:
    play, _ = played(ADAPTIVE, made(auctioned(), delegations=PARKED_IN_GRACE))
    [unverified] = play.unverified
    assert 100 < unverified.day <= 143


def test_what_was_unverified_is_not_asked_about_any_more() -> None:
    for watcher in (PYPI, RUBYGEMS, MONTHLY, ADAPTIVE):
        play, outlook = played(watcher, made(lapsing()))
        assert max(outlook.asked_on + outlook.registry_days) == play.unverified[-1].day, watcher


@pytest.mark.parametrize("watcher", [PYPI, RUBYGEMS], ids=["pypi", "rubygems"])
def test_who_believes_a_bad_day_is_right_again_after_it(watcher: Watcher) -> None:
    domain = made(Life.active(noon(700)), delegations={Phase.ACTIVE: Delegation.NO_MAIL})
    bad = next(iter(played(PYPI, domain)[1].asked_on[5:]))
    skies = bad_days(FaultKind.FALSE_INACTIVE, bad, bad + 1)
    assert [some.day for some in played(watcher, domain, skies)[0].unverified] == [bad]
    assert watcher.right_again(domain, Outlook(Shown(domain), skies), bad) == bad + 2
    assert not played(ADAPTIVE, domain, skies)[0].unverified


def test_an_oddity_that_never_ends_is_never_right_again() -> None:
    domain = made(Life.active(noon(700)), quirks={Phase.ACTIVE: "undelegated active"})
    [unverified] = played(PYPI, domain)[0].unverified
    assert unverified.check_number == 1
    assert PYPI.right_again(domain, Outlook(Shown(domain), Skies(None)), unverified.day) is None
    # Nor is there a day after the last one on which it could be.
    assert PYPI.right_again(domain, Outlook(Shown(domain), Skies(None)), DAYS - 1) is None


@pytest.mark.parametrize(("watcher", "sees"), [(PYPI, False), (RUBYGEMS, False), (ADAPTIVE, True)])
def test_only_who_asks_the_registry_could_see_an_auction(watcher: Watcher, sees: bool) -> None:
    domain = made(auctioned(), delegations=PARKED_IN_GRACE)
    assert watcher.sees(domain, Outlook(Shown(domain), Skies(None)), range(95, 144)) is sees
    assert not watcher.sees(domain, Outlook(Shown(domain), Skies(None)), range(95, 100))


def test_checks_go_on_to_the_end_of_the_year() -> None:
    _, outlook = played(ADAPTIVE, made(Life.active(noon(700)), "de"))
    assert DAYS - max(outlook.asked_on) <= 12


def test_the_longest_wait_may_be_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = made(Life.active(noon(700)), "de")

    def checks(_watcher: CorroboratedWatcher, _domain: YearDomain, outlook: Outlook) -> Iterator[DomainWatch]:
        for outlook.day in (7, 27):
            yield DomainWatch(domain.name, EPOCH.date(), EPOCH, ADAPTIVE.pace)

    monkeypatch.setattr(CorroboratedWatcher, "_checks", checks)
    assert played(ADAPTIVE, domain)[0].longest_wait == DAYS - 27
