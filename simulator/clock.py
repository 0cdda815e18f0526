"""The clock of the simulated internet."""

import threading
from datetime import datetime, timedelta


class Clock:
    """Stands at an instant and moves only when told. Safe to share between threads."""

    def __init__(self, now: datetime) -> None:
        self._lock = threading.Lock()
        self.set(now)

    def now(self) -> datetime:
        """The instant the clock stands at (timezone-aware)."""
        with self._lock:
            return self._now

    def set(self, instant: datetime) -> None:
        """Moves to any instant, earlier or later. ValueError for one without a time zone."""
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {instant.isoformat()}")
        with self._lock:
            self._now = instant

    def advance(self, duration: timedelta) -> datetime:
        """Moves forward and returns the new instant. ValueError for a negative duration."""
        if duration < timedelta(0):
            raise ValueError(f"the clock does not advance by {duration}")
        with self._lock:
            self._now += duration
            return self._now
