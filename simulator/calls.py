"""What the status APIs were asked, for tests and the demo to count."""

from collections import Counter
from typing import Any


class Calls:
    """Counts calls as they arrive, and HTTP statuses as they are answered."""

    def __init__(self) -> None:
        self.total = 0
        self.by_status: Counter[int] = Counter()
        self.by_domain: Counter[str] = Counter()

    def arrived(self) -> None:
        """Counts a call, good or bad."""
        self.total += 1

    def asked_about(self, domain: str) -> int:
        """Counts a call about a domain, and returns the how-manieth it is."""
        self.by_domain[domain] += 1
        return self.by_domain[domain]

    def answered(self, status: int) -> None:
        """Counts an answer by its HTTP status."""
        self.by_status[status] += 1

    def as_json(self) -> dict[str, Any]:
        """The counts, as the control API shows them."""
        return {"total": self.total, "by_status": dict(self.by_status), "by_domain": dict(self.by_domain)}
