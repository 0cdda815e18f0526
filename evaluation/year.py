"""The days of the contest: when the runs are, and which of them count.

A day is a whole number, counted from the epoch; each has one run.
"""

from datetime import UTC, datetime, timedelta

from simulator.year.assumptions import ASSUMPTIONS

EPOCH = datetime(2027, 1, 1, tzinfo=UTC)
"""Everybody is in order then, and all addresses are verified."""

WARM_UP_DAYS = ASSUMPTIONS.warm_up_days
"""Not counted: until then every domain has been asked about once."""

DAYS = WARM_UP_DAYS + ASSUMPTIONS.counted_days

DAY = timedelta(days=1)
RUNS = tuple(EPOCH + timedelta(days=day, minutes=ASSUMPTIONS.run_at_minute) for day in range(DAYS))
"""The instant of each day's run."""

COUNTED_FROM, COUNTED_UNTIL = EPOCH + WARM_UP_DAYS * DAY, EPOCH + DAYS * DAY


def day_of(instant: datetime) -> int:
    """Return the day in which an instant lies; negative before the epoch."""
    return (instant - EPOCH).days


def first_run_from(instant: datetime) -> int:
    """Return the day of the first run that is not before an instant."""
    return max(-((RUNS[0] - instant) // DAY), 0)
