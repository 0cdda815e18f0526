"""How many requests a second the status API grants."""

import math
import time


class Quota:
    """Grants so many requests a second, in real time, with one second's worth saved up; None grants all."""

    def __init__(self, per_second: float | None) -> None:
        self.per_second = per_second
        self._saved = max(1.0, per_second or 0.0)
        self._counted_at = time.monotonic()

    def seconds_to_wait(self) -> int:
        """Takes one request: 0 when it is granted, else the whole seconds after which to ask again."""
        if self.per_second is None:
            return 0
        now = time.monotonic()
        earned = (now - self._counted_at) * self.per_second
        self._saved = min(max(1.0, self.per_second), self._saved + earned)
        self._counted_at = now
        if self._saved < 1.0:
            return math.ceil((1.0 - self._saved) / self.per_second)
        self._saved -= 1.0
        return 0
