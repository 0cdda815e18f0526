"""What another assumption changes is played in both worlds, and nothing else."""

import pytest
from lapsewatch.core.cadence import Cadence, Pace

from evaluation.contest import ADAPTIVE, MAIN_SHARE, Chunk, play_chunk
from evaluation.outlook import Outlook, Shown, Skies, skies_of
from evaluation.score import Tally
from evaluation.sensitivity import LONGER_BAD_DAY, OTHER_DOMAINS, OTHER_WEATHER, Change, met_other_weather
from evaluation.watchers import CorroboratedWatcher
from simulator.faults import FaultKind
from simulator.lives import Life

from .lives import bad_days, made, noon, scene

WATCHER = CorroboratedWatcher(ADAPTIVE, Pace(Cadence.ADAPTIVE, 12))


def test_the_other_worlds_are_played_where_something_differs() -> None:
    result = play_chunk(Chunk("1", range(400), with_variants=True))
    assert result.changes.keys() == {*OTHER_DOMAINS, *OTHER_WEATHER}
    whole = result.of(MAIN_SHARE, ADAPTIVE).domains
    for name, change in result.changes.items():
        assert change.as_is.domains == change.changed.domains, name
        assert 0 < change.as_is.domains < whole / 2, name
    assert not play_chunk(Chunk("1", range(400), with_variants=False)).changes


@pytest.mark.parametrize(("bad_day", "met"), [(0, True), (1, False)])
def test_other_weather_is_met_by_who_asks_in_it(bad_day: int, met: bool) -> None:
    domain = made(Life.active(noon(700)), "de")
    seen = Outlook(Shown(domain), Skies(None))
    WATCHER.play(domain, seen)
    other = bad_days(FaultKind.FALSE_INACTIVE, seen.api_days[3] + bad_day)
    assert met_other_weather(seen, "de", Skies(None), other) is met


def test_who_does_not_meet_the_longer_bad_day_ends_the_same() -> None:
    as_is, longer = skies_of("1"), skies_of("1", LONGER_BAD_DAY)
    assert as_is.status_api("de") != longer.status_api("de")
    for tld in ("com", "de", "fr"):
        domain = made(Life.active(noon(700)), tld)
        seen, again = Outlook(Shown(domain), as_is), Outlook(Shown(domain), longer)
        WATCHER.play(domain, seen)
        WATCHER.play(domain, again)
        assert met_other_weather(seen, tld, as_is, longer) or seen.api_days == again.api_days


def test_changes_add_up() -> None:
    one, other = scene(made(Life.active(noon(700)), "de")), scene(made(Life.active(noon(500)), "fr"))
    both, added = Change(), Change()
    both.score(WATCHER, one, other)
    both.score(WATCHER, other, one)
    for as_is, changed in ((one, other), (other, one)):
        change = Change()
        change.score(WATCHER, as_is, changed)
        added.add(change)
    assert added == both
    assert both.as_is == both.changed != Tally()
