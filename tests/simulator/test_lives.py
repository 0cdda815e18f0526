from datetime import timedelta

import pytest

from simulator.lives import (
    AUTO_RENEW_PERIOD,
    PENDING_DELETE,
    REDEMPTION,
    YEAR,
    Event,
    EventKind,
    Life,
    Phase,
    auto_renew_period_end,
    lapse,
)

from .conftest import DAY, EPOCH

SECOND = timedelta(seconds=1)
GRACE = 30 * DAY
LAPSING = Life.lapsing(expires=EPOCH, grace=GRACE)
RELEASE = EPOCH + GRACE + REDEMPTION + PENDING_DELETE


@pytest.mark.parametrize(
    ("begins", "before", "after"),
    [
        (EPOCH - 10 * YEAR, Phase.NEVER_REGISTERED, Phase.ACTIVE),
        (EPOCH, Phase.ACTIVE, Phase.GRACE),
        (EPOCH + GRACE, Phase.GRACE, Phase.REDEMPTION),
        (EPOCH + GRACE + REDEMPTION, Phase.REDEMPTION, Phase.PENDING_DELETE),
        (RELEASE, Phase.PENDING_DELETE, Phase.RELEASED),
    ],
)
def test_each_phase_begins_with_its_event(begins, before, after):
    assert LAPSING.phase_at(begins - SECOND) is before
    assert LAPSING.phase_at(begins) is after


def test_dates_stand_as_long_as_the_registration():
    assert LAPSING.registered_at(EPOCH - 11 * YEAR) is None
    assert LAPSING.expires_at(EPOCH - 11 * YEAR) is None
    assert LAPSING.registered_at(RELEASE - SECOND) == EPOCH - 10 * YEAR
    assert LAPSING.expires_at(RELEASE - SECOND) == EPOCH
    assert LAPSING.registered_at(RELEASE) is None
    assert LAPSING.expires_at(RELEASE) is None


@pytest.mark.parametrize("days", [-5, 10, 45], ids=["on time", "in grace", "in redemption"])
def test_a_renewal_keeps_the_creation_date_and_adds_a_year(days):
    at = EPOCH + days * DAY
    life = LAPSING.renewed(at)
    assert life.phase_at(at - SECOND) is LAPSING.phase_at(at - SECOND)
    assert life.phase_at(RELEASE + YEAR) is Phase.ACTIVE
    assert life.registered_at(at) == EPOCH - 10 * YEAR
    assert life.expires_at(at) == EPOCH + YEAR


@pytest.mark.parametrize("days", [0, 20], ids=["at the date", "in grace"])
def test_an_automatic_renewal_is_a_renewal_that_can_be_undone_for_45_days_after_the_date(days):
    at = EPOCH + days * DAY
    life = LAPSING.auto_renewed(at)
    assert life.phase_at(at) is life.phase_at(RELEASE) is Phase.ACTIVE
    assert life.registered_at(at) == EPOCH - 10 * YEAR
    assert life.expires_at(at) == EPOCH + YEAR
    instants = [at - SECOND, at, EPOCH + AUTO_RENEW_PERIOD - SECOND, EPOCH + AUTO_RENEW_PERIOD]
    assert [life.is_in_auto_renew_period(instant) for instant in instants] == [False, True, True, False]
    assert auto_renew_period_end(life.events[-1]) == EPOCH + AUTO_RENEW_PERIOD
    held = life.held(at + DAY, at + 2 * DAY)
    assert held.phase_at(at + DAY) is Phase.HELD
    assert held.is_in_auto_renew_period(at + DAY)


def test_other_payments_are_no_automatic_renewal():
    assert not LAPSING.renewed(EPOCH).is_in_auto_renew_period(EPOCH)
    with pytest.raises(ValueError, match="no automatic renewal"):
        auto_renew_period_end(LAPSING.events[0])


def test_a_registry_may_have_its_own_lengths():
    events = lapse(EPOCH, grace=10 * DAY, redemption=60 * DAY, pending_delete=2 * DAY)
    assert [event.at - EPOCH for event in events] == [0 * DAY, 10 * DAY, 70 * DAY, 72 * DAY]


def test_a_stranger_brings_a_new_creation_date():
    at = RELEASE + 40 * SECOND
    life = LAPSING.re_registered(at)
    assert life.phase_at(RELEASE) is Phase.RELEASED
    assert life.phase_at(at) is Phase.ACTIVE
    assert life.registered_at(at) == at
    assert life.expires_at(at) == at + YEAR


def test_an_auction_changes_the_owner_and_nothing_a_registry_dates():
    at = EPOCH + 25 * DAY
    life = LAPSING.auctioned(at)
    assert life.phase_at(at - SECOND) is Phase.GRACE
    assert life.phase_at(at) is life.phase_at(RELEASE) is Phase.ACTIVE
    assert life.registered_at(at) == EPOCH - 10 * YEAR
    assert life.expires_at(at) == EPOCH + YEAR


@pytest.mark.parametrize("days", [-1, 31, 61], ids=["active", "redemption", "pending delete"])
def test_an_auction_is_for_domains_in_grace(days):
    with pytest.raises(ValueError, match="impossible"):
        LAPSING.auctioned(EPOCH + days * DAY)


def test_a_hold_passes():
    life = Life.active(expires=EPOCH + YEAR).held(at=EPOCH, until=EPOCH + 3 * DAY)
    assert [life.phase_at(EPOCH + n * DAY) for n in (-1, 0, 2, 3)] == [
        Phase.ACTIVE,
        Phase.HELD,
        Phase.HELD,
        Phase.ACTIVE,
    ]
    assert life.expires_at(EPOCH + DAY) == EPOCH + YEAR


@pytest.mark.parametrize(
    "events",
    [
        [Event(EPOCH, EventKind.RELEASED)],
        [Event(EPOCH, EventKind.REGISTERED)],
        [Event(EPOCH, EventKind.REGISTERED, EPOCH + YEAR), Event(EPOCH - DAY, EventKind.EXPIRED)],
        [
            Event(EPOCH, EventKind.REGISTERED, EPOCH + YEAR),
            Event(EPOCH + DAY, EventKind.EXPIRED, EPOCH + YEAR),
        ],
        [Event(EPOCH, EventKind.REGISTERED, EPOCH + YEAR), Event(EPOCH + DAY, EventKind.DELETE_PENDING)],
        [Event(EPOCH, EventKind.REGISTERED, EPOCH + YEAR), Event(EPOCH, EventKind.REGISTERED, EPOCH + YEAR)],
    ],
    ids=["unborn", "without expiry", "back in time", "expiry by expiring", "redemption skipped", "twice"],
)
def test_impossible_lives_are_refused(events):
    with pytest.raises(ValueError, match="EventKind"):
        Life(tuple(events))


def test_what_is_gone_cannot_be_renewed_nor_taken_before_its_release():
    with pytest.raises(ValueError, match="nothing to renew"):
        LAPSING.renewed(RELEASE)
    with pytest.raises(ValueError, match="impossible"):
        LAPSING.re_registered(RELEASE - DAY)
