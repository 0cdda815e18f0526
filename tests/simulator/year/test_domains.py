import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from simulator.lives import AUTO_RENEW_PERIOD, YEAR, EventKind, Life, Phase
from simulator.year.assumptions import ASSUMPTIONS, Zone
from simulator.year.domains import Exposure, YearDomain, exposed_at, has_lapsed, year_domains
from simulator.zones import registrable_part, zone_of

from .conftest import AUCTION_SHARE, EPOCH

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
HORIZON = EPOCH + 410 * DAY
ZONES = {zone.suffix: zone for zone in ASSUMPTIONS.zones}
REGISTRARS = {registrar.name: registrar for registrar in ASSUMPTIONS.registrars}

DIGEST = """
from datetime import UTC, datetime
from hashlib import sha256
from simulator.year.domains import year_domains
domains = list(year_domains("seed", range(1000), datetime(2027, 1, 1, tzinfo=UTC), 0.25))
print(sha256(repr(domains).encode()).hexdigest())
"""


def zone_under(domain: YearDomain) -> Zone:
    return ZONES[zone_of(domain.name) or ""]


def kinds(domain: YearDomain) -> list[EventKind]:
    return [event.kind for event in domain.life.events]


def share(domains: list[YearDomain], has: Callable[[YearDomain], bool]) -> float:
    return sum(map(has, domains)) / len(domains)


def about(expected: float, of: int) -> object:
    """A share as it may come out of so many draws: within four standard deviations."""
    return pytest.approx(expected, abs=4 * (expected * (1 - expected) / of) ** 0.5)


def first_date(domain: YearDomain) -> object:
    return domain.life.events[0].expires


def is_lapsing(domain: YearDomain) -> bool:
    """Whether the owner lets the domain go, at a date from which on nobody pays within the story."""
    return not {EventKind.HANDED_OVER, EventKind.RELEASED}.isdisjoint(kinds(domain)) or kinds(domain)[-1] in (
        EventKind.EXPIRED,
        EventKind.REDEMPTION_BEGUN,
        EventKind.DELETE_PENDING,
    )


# Who is drawn


def test_a_domain_is_the_same_in_every_range_and_another_under_another_seed():
    whole, part = (list(year_domains("seed", numbers, EPOCH, 0.25)) for numbers in (range(60), range(40, 50)))
    assert whole[40:50] == part
    assert list(year_domains("other", range(40, 50), EPOCH, 0.25)) != part


def test_another_process_draws_the_same(drawn):
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == sha256(repr(drawn[:1000]).encode()).hexdigest()


def test_names_are_registrable_and_no_two_are_the_same(drawn):
    assert len({domain.name for domain in drawn}) == len(drawn)
    assert all(registrable_part(domain.name) == domain.name for domain in drawn)


def test_zones_and_registrars_have_their_shares(drawn):
    by_zone = Counter(zone_of(domain.name) for domain in drawn)
    by_registrar = Counter(domain.registrar for domain in drawn)
    for suffix, zone in ZONES.items():
        assert by_zone[suffix] / len(drawn) == about(zone.share, len(drawn))
    for name, registrar in REGISTRARS.items():
        assert by_registrar[name] / len(drawn) == about(registrar.share, len(drawn))


def test_most_domains_have_one_address_and_some_have_many(drawn):
    counts = Counter(domain.address_count for domain in drawn)
    weights = dict(ASSUMPTIONS.address_counts)
    assert counts.keys() == weights.keys()
    assert counts[1] / len(drawn) == about(weights[1] / sum(weights.values()), len(drawn))


# Their lives


def test_everybody_is_in_order_at_the_epoch_and_has_been_for_a_year(drawn):
    assert {domain.life.phase_at(EPOCH) for domain in drawn} == {Phase.ACTIVE}
    assert all(domain.life.events[0].at <= EPOCH - YEAR for domain in drawn)


def test_dates_are_spread_evenly_over_the_year_after_the_epoch(drawn):
    months = Counter((first_date(domain) - EPOCH) * 12 // YEAR for domain in drawn)
    assert sorted(months) == list(range(12))
    for count in months.values():
        assert count / len(drawn) == about(1 / 12, len(drawn))


def test_nothing_is_told_beyond_the_horizon():
    for days in (100, 410):
        domains = list(year_domains("seed", range(500), EPOCH, 0.25, days))
        latest = max(event.at for domain in domains for event in domain.life.events)
        assert EPOCH + (days - 9) * DAY < latest <= EPOCH + days * DAY


def test_about_a_tenth_lapses_as_the_zones_say(drawn):
    expected = sum(zone.share * zone.not_renewed for zone in ASSUMPTIONS.zones) * ASSUMPTIONS.kept_for_mail
    # Who comes to the first date with time left to tell what became of it, comes to one date only.
    seen = [domain for domain in drawn if first_date(domain) > EPOCH + 60 * DAY]
    assert 0.08 < expected < 0.12
    assert share(seen, is_lapsing) == about(expected, len(seen))


def test_those_who_keep_their_domains_pay_in_time_at_the_date_or_late(drawn):
    # The first payment after a date that has a successor in the story.
    paid = Counter()
    for domain in drawn:
        for before, event in zip(domain.life.events, domain.life.events[1:], strict=False):
            if event.kind in (EventKind.RENEWED, EventKind.AUTO_RENEWED):
                paid[before.kind] += 1
    late = ASSUMPTIONS.renewed_in_grace + ASSUMPTIONS.renewed_in_redemption
    assert (paid[EventKind.EXPIRED] + paid[EventKind.REDEMPTION_BEGUN]) / paid.total() == about(late, paid.total())
    assert paid[EventKind.REDEMPTION_BEGUN] / paid.total() > ASSUMPTIONS.renewed_in_redemption / 2
    ahead = Counter(
        event.at == domain.life.expires_at(event.at - SECOND)
        for domain in drawn
        for event in domain.life.events
        if event.kind in (EventKind.RENEWED, EventKind.AUTO_RENEWED)
        and domain.life.phase_at(event.at - SECOND) is Phase.ACTIVE
    )
    assert ahead[True] / ahead.total() == about(ASSUMPTIONS.auto_renewed, ahead.total())


def test_only_registries_that_renew_by_themselves_let_an_automatic_renewal_stand(drawn):
    under = {domain.name.rpartition(".")[2] for domain in drawn if EventKind.AUTO_RENEWED in kinds(domain)}
    assert {"com", "org", "de", "io"} <= under
    assert under.isdisjoint({"uk", "cz", "pl", "br", "au"})


def test_each_phase_is_as_long_as_the_zone_says(drawn):
    seen = set()
    for domain in drawn:
        zone = zone_under(domain)
        for before, event in zip(domain.life.events, domain.life.events[1:], strict=False):
            lasted = event.at - before.at
            match event.kind:
                case EventKind.REDEMPTION_BEGUN:
                    assert zone.grace_days[0] * DAY <= lasted <= zone.grace_days[1] * DAY
                case EventKind.DELETE_PENDING:
                    assert lasted == zone.redemption_days * DAY
                case EventKind.RELEASED:
                    assert lasted == zone.pending_delete_days * DAY
                    seen.add(zone.suffix)
    assert len(seen) > 20


def test_a_registrars_habits_show_in_grace(drawn):
    for registrar in ASSUMPTIONS.registrars:
        lapsing = [
            domain for domain in drawn if domain.registrar == registrar.name and EventKind.EXPIRED in kinds(domain)
        ]
        habits = {state for state, _ in registrar.in_grace}
        for domain in lapsing:
            assert domain.delegations.get(Phase.GRACE) in habits | {None}
        if "not delegated" in habits:
            assert any(domain.quirks.get(Phase.GRACE) == "undelegated active" for domain in lapsing)


def test_holds_are_rare_short_and_have_a_tail(drawn):
    lengths = []
    for domain in drawn:
        for event, after in zip(domain.life.events, domain.life.events[1:], strict=False):
            if event.kind is EventKind.HOLD_PLACED:
                assert after.kind is EventKind.HOLD_LIFTED
                lengths.append(after.at - event.at)
    assert 0.007 < len(lengths) / len(drawn) * YEAR / (HORIZON - EPOCH) <= ASSUMPTIONS.held_in_a_year * 1.2
    assert sorted(lengths)[len(lengths) // 2] < 4 * DAY
    assert max(lengths) > 20 * DAY


def test_a_few_domains_are_sold_and_nothing_shows(drawn):
    sold = [domain for domain in drawn if domain.sold_at]
    assert len(sold) / len(drawn) == about(ASSUMPTIONS.sold_in_a_year * 410 / 365, len(drawn))
    assert not any({EventKind.HANDED_OVER, EventKind.RELEASED} & {*kinds(domain)} for domain in sold)
    assert all(EPOCH <= domain.sold_at < HORIZON for domain in sold)


def test_some_of_the_released_fall_to_a_stranger_within_the_minute(drawn):
    waited = [
        event.at - before.at
        for domain in drawn
        for before, event in zip(domain.life.events, domain.life.events[1:], strict=False)
        if before.kind is EventKind.RELEASED
    ]
    caught = sum(wait < timedelta(minutes=1) for wait in waited)
    assert len(waited) > 100
    # The others take so long that the story's end cuts some of them off.
    assert ASSUMPTIONS.caught_within_a_minute - 0.1 < caught / len(waited) < ASSUMPTIONS.caught_within_a_minute + 0.2
    assert max(waited) <= ASSUMPTIONS.taken_within_days * DAY


# Auctions


def test_auctions_are_nested_and_change_nobody_else():
    worlds = [list(year_domains("seed", range(4000), EPOCH, auctions)) for auctions in (0, 0.25, 0.5)]
    auctioned = [{d.name for d in world if EventKind.HANDED_OVER in kinds(d)} for world in worlds]
    assert auctioned[0] == set()
    assert auctioned[0] < auctioned[1] < auctioned[2]
    for none, some, more in zip(*worlds, strict=True):
        # Whose auctions, if any, the story tells to their end.
        if EPOCH + 46 * DAY < first_date(none) < EPOCH + 360 * DAY:
            assert (none == some) == (none.name not in auctioned[1])
            assert (some == more) == (none.name not in auctioned[2] - auctioned[1])


def test_auctions_have_their_share_of_what_lapses(drawn):
    early = [domain for domain in drawn if first_date(domain) < EPOCH + 300 * DAY and is_lapsing(domain)]
    assert share(early, lambda domain: EventKind.HANDED_OVER in kinds(domain)) == about(AUCTION_SHARE, len(early))


def test_auctions_are_of_those_registrars_and_zones_that_have_them(drawn):
    for domain in drawn:
        if EventKind.HANDED_OVER in kinds(domain):
            at = {event.kind: event.at for event in domain.life.events}
            assert REGISTRARS[domain.registrar].auctions
            assert zone_under(domain).grace_days[1] * DAY == AUTO_RENEW_PERIOD
            assert at[EventKind.HANDED_OVER] - at[EventKind.EXPIRED] < AUTO_RENEW_PERIOD
            assert domain.life.registered_at(HORIZON) == domain.life.events[0].at


@pytest.mark.parametrize("auctions", [-0.1, 0.6, 1])
def test_more_auctions_than_the_auctioning_registrars_have_are_refused(auctions):
    with pytest.raises(ValueError, match="share of auctions"):
        next(year_domains("seed", range(1), EPOCH, auctions))


# The truth


def told(life: Life, sold_at=None) -> YearDomain:
    return YearDomain("some1.com", life, {}, {}, sold_at, "switches off", 1)


DATE = EPOCH + 10 * DAY
LAPSING = Life.lapsing(DATE, grace=30 * DAY)
RELEASE = DATE + 65 * DAY


@pytest.mark.parametrize(
    ("domain", "exposure"),
    [
        (told(Life.active(DATE)), None),
        (told(LAPSING), (RELEASE, Exposure.RELEASED)),
        (told(LAPSING.re_registered(RELEASE + DAY)), (RELEASE, Exposure.RELEASED)),
        (told(LAPSING.renewed(DATE + 40 * DAY)), None),
        (told(LAPSING.auctioned(DATE + 20 * DAY)), (DATE + 20 * DAY, Exposure.HANDED_OVER)),
        (told(Life.active(DATE), EPOCH + DAY), (EPOCH + DAY, Exposure.SOLD)),
        (told(Life.active(DATE).held(EPOCH, EPOCH + DAY)), None),
    ],
)
def test_a_stranger_can_have_the_mail_once_it_is_free_handed_over_or_sold(domain, exposure):
    assert exposed_at(domain) == exposure


@pytest.mark.parametrize(
    ("domain", "days", "lapsed"),
    [
        (told(LAPSING), -1, False),
        (told(LAPSING), 0, True),
        (told(LAPSING), 40, True),
        (told(LAPSING), 62, True),
        (told(LAPSING), 65, True),
        (told(LAPSING.re_registered(RELEASE + DAY)), 300, True),
        (told(LAPSING.auctioned(DATE + 20 * DAY)), 300, True),
        (told(LAPSING.renewed(DATE + 40 * DAY)), 39, True),
        (told(LAPSING.renewed(DATE + 40 * DAY)), 40, False),
        (told(Life.active(DATE).auto_renewed(DATE)), 1, False),
        (told(Life.active(DATE).held(DATE - 2 * DAY, DATE)), -1, False),
        (told(Life.active(DATE + YEAR), DATE), -1, False),
        (told(Life.active(DATE + YEAR), DATE), 0, True),
    ],
)
def test_the_owner_has_lapsed_while_the_domain_is_unpaid_or_a_strangers(domain, days, lapsed):
    assert has_lapsed(domain, DATE + days * DAY) is lapsed


def test_other_assumptions_change_only_what_they_are_about():
    numbers = range(2_000)
    as_is = list(year_domains("seed", numbers, EPOCH, 0.25))
    drifting = replace(ASSUMPTIONS, mail_lost_in_a_year=0.5)
    changed = list(year_domains("seed", numbers, EPOCH, 0.25, assumed=drifting))
    assert [replace(domain, mail_lost_at=None) for domain in changed] == as_is
    lost = [domain for domain in changed if domain.mail_lost_at]
    assert len(lost) / len(numbers) == about(0.5 * 410 / 365 * 0.9, len(numbers))
    assert not any(domain.life.phase_at(HORIZON) is Phase.RELEASED for domain in lost)


def test_a_stranger_who_gets_a_domain_earlier_is_the_only_difference_of_earlier_auctions():
    early = replace(ASSUMPTIONS, auctioned_on_day=(30, 44))
    drawn, changed = (
        list(year_domains("seed", range(4_000), EPOCH, 0.25, assumed=assumed)) for assumed in (ASSUMPTIONS, early)
    )
    differing = [(one, other) for one, other in zip(drawn, changed, strict=True) if one != other]
    assert differing
    for one, other in differing:
        before, after = exposed_at(one), exposed_at(other)
        assert after
        assert after[1] is Exposure.HANDED_OVER
        assert before is None or after[0] < before[0]
