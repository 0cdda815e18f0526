from datetime import datetime, timedelta

import pytest

from simulator.clock import Clock

from .conftest import DAY, EPOCH


def test_it_stands_still_until_told():
    clock = Clock(EPOCH)
    assert clock.now() == EPOCH
    assert clock.advance(3 * DAY) == EPOCH + 3 * DAY
    assert clock.now() == EPOCH + 3 * DAY
    clock.set(EPOCH - DAY)
    assert clock.now() == EPOCH - DAY


def test_it_wants_a_time_zone_and_does_not_advance_backwards():
    clock = Clock(EPOCH)
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2026, 3, 1))  # noqa: DTZ001 - the very thing it refuses
    with pytest.raises(ValueError, match="advance"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == EPOCH
