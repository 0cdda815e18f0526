"""What the RDAP servers were asked, and how politely, for tests and the demo to count."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

_WINDOW_SECONDS = 1.0


class RdapCalls:
    """Counts calls as they arrive, and HTTP statuses as they are answered; the bootstrap file counts by itself."""

    def __init__(self) -> None:
        self.total = 0
        self.bootstrap = 0
        self.by_status: Counter[int] = Counter()
        self.by_domain: Counter[str] = Counter()
        self.by_registry: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._max_in_flight: dict[str, int] = {}
        self._arrivals: dict[str, deque[float]] = {}
        self._max_in_a_second: dict[str, int] = {}

    @contextmanager
    def asking(self, registry: str) -> Iterator[None]:
        """Counts a call to a registry, good or bad, and for how long it is under way."""
        self.total += 1
        self.by_registry[registry] += 1
        self._in_flight[registry] += 1
        self._max_in_flight[registry] = max(self._max_in_flight.get(registry, 0), self._in_flight[registry])
        self._arrived(registry, monotonic())
        try:
            yield
        finally:
            self._in_flight[registry] -= 1

    def asked_about(self, domain: str) -> int:
        """Counts a call about a domain, and returns the how-manieth it is."""
        self.by_domain[domain] += 1
        return self.by_domain[domain]

    def asked_for_bootstrap(self) -> int:
        """Counts a call for the bootstrap file, and returns the how-manieth it is."""
        self.bootstrap += 1
        return self.bootstrap

    def answered(self, status: int) -> None:
        """Counts an answer by its HTTP status."""
        self.by_status[status] += 1

    def as_json(self) -> dict[str, Any]:
        """The counts, as the control API shows them."""
        return {
            "total": self.total,
            "by_status": dict(self.by_status),
            "by_domain": dict(self.by_domain),
            "by_registry": dict(self.by_registry),
            "max_in_flight": self._max_in_flight,
            "max_in_a_second": self._max_in_a_second,
            "bootstrap": self.bootstrap,
        }

    def _arrived(self, registry: str, at: float) -> None:
        """Keeps the arrivals of the last second, and how many these ever were."""
        arrivals = self._arrivals.setdefault(registry, deque())
        arrivals.append(at)
        while arrivals[0] <= at - _WINDOW_SECONDS:
            arrivals.popleft()
        self._max_in_a_second[registry] = max(self._max_in_a_second.get(registry, 0), len(arrivals))
