from dataclasses import replace
from datetime import timedelta

import pytest

from simulator.faults import RULES, FaultKind, Service
from simulator.year.assumptions import ASSUMPTIONS
from simulator.year.weather import Weather

from .conftest import EPOCH

SECOND = timedelta(seconds=1)
SEEDS = [str(number) for number in range(40)]
TLDS = {zone.tld for zone in ASSUMPTIONS.zones}


def counted_runs():
    return [
        EPOCH + timedelta(days=ASSUMPTIONS.warm_up_days + day, minutes=ASSUMPTIONS.run_at_minute)
        for day in range(ASSUMPTIONS.counted_days)
    ]


def test_the_same_seed_has_the_same_weather():
    assert Weather("one", EPOCH).disturbances == Weather("one", EPOCH).disturbances
    assert Weather("one", EPOCH).disturbances != Weather("other", EPOCH).disturbances


def test_it_is_the_same_at_the_same_distance_from_any_epoch():
    one, other = Weather("one", EPOCH), Weather("one", EPOCH + timedelta(days=500))
    assert [d.begins_at + timedelta(days=500) for d in one.disturbances] == [d.begins_at for d in other.disturbances]


@pytest.mark.parametrize("kind", [FaultKind.FALSE_INACTIVE, FaultKind.SERVER_ERROR])
def test_every_counted_year_has_a_bad_day_and_an_outage_over_a_run(kind):
    for seed in SEEDS:
        weather = Weather(seed, EPOCH)
        assert kind in {weather.of_status_api("no-such-tld", run) for run in counted_runs()}, seed


def test_there_is_some_of_each_trouble_for_several_top_level_domains_and_all_services():
    for seed in SEEDS:
        disturbances = Weather(seed, EPOCH).disturbances
        assert {(one.service, one.kind) for one in disturbances} == {
            (Service.STATUS, FaultKind.UNKNOWN_STORM),
            (Service.STATUS, FaultKind.FALSE_INACTIVE),
            (Service.STATUS, FaultKind.SERVER_ERROR),
            (Service.RDAP, FaultKind.SERVER_ERROR),
            (Service.DNS, FaultKind.SERVFAIL),
        }
        assert len({one.tld for one in disturbances if one.tld}) >= 8
        assert {one.tld for one in disturbances} <= TLDS | {None}


def test_a_bad_day_of_the_whole_api_covers_one_run_only():
    for seed in SEEDS:
        weather = Weather(seed, EPOCH)
        bad = [run for run in counted_runs() if weather.of_status_api("no-such-tld", run) is FaultKind.FALSE_INACTIVE]
        assert len(bad) == 1


def test_a_registry_that_is_down_is_down_for_the_status_api_too():
    for seed in SEEDS:
        disturbances = Weather(seed, EPOCH).disturbances
        both = [
            (one.tld, one.begins_at)
            for one in disturbances
            if one.service is Service.RDAP
            and any(
                other.kind is FaultKind.UNKNOWN_STORM and (other.tld, other.begins_at) == (one.tld, one.begins_at)
                for other in disturbances
            )
        ]
        assert len(both) >= 5


def test_a_disturbance_strikes_from_its_beginning_up_to_its_end_those_it_is_about():
    weather = Weather("one", EPOCH)
    alone = next(one for one in weather.disturbances if one.service is Service.DNS)
    assert alone.tld is None
    assert weather.of_dns("com", alone.begins_at - SECOND) is None
    assert weather.of_dns("com", alone.begins_at) is weather.of_dns("nz", alone.ends_at - SECOND) is FaultKind.SERVFAIL
    assert weather.of_dns("com", alone.ends_at) is None
    of_one = next(one for one in weather.disturbances if one.service is Service.RDAP)
    assert weather.of_registry(of_one.tld, of_one.begins_at) is FaultKind.SERVER_ERROR
    assert weather.of_registry("no-such-tld", of_one.begins_at) is None


def test_its_rules_are_rules_of_the_simulator():
    weather = Weather("one", EPOCH)
    assert weather.fault_rules(EPOCH - SECOND) == []
    for one in weather.disturbances:
        rules = RULES.validate_python(weather.fault_rules(one.begins_at), strict=False)
        assert (one.service, one.kind, one.tld) in {(rule.service, rule.kind, rule.tld) for rule in rules}


def test_a_longer_bad_day_covers_the_same_run_and_another():
    troubles = tuple(replace(one, hours=(48, 48)) if one.hours == (24, 24) else one for one in ASSUMPTIONS.troubles)
    longer = replace(ASSUMPTIONS, troubles=troubles)
    for seed in SEEDS:
        bad, more = (
            {run for run in counted_runs() if weather.of_status_api("no-such-tld", run) is FaultKind.FALSE_INACTIVE}
            for weather in (Weather(seed, EPOCH), Weather(seed, EPOCH, assumed=longer))
        )
        assert len(more - bad) <= 1
        assert bad <= more
    assert len(more) == 2
