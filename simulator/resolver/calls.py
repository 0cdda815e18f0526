"""What the resolver was asked, for tests and the demo to count."""

from collections import Counter
from typing import Any

from dns.rcode import Rcode


class DnsCalls:
    """Counts questions as they arrive, and RCODEs as they are answered; a question may go without an answer."""

    def __init__(self) -> None:
        self.total = 0
        self.by_rcode: Counter[str] = Counter()
        self.by_domain: Counter[str] = Counter()

    def arrived(self) -> None:
        """Counts a message, good or bad."""
        self.total += 1

    def asked_about(self, domain: str) -> int:
        """Counts a question about a domain or a host below it, and returns the how-manieth it is."""
        self.by_domain[domain] += 1
        return self.by_domain[domain]

    def answered(self, rcode: Rcode) -> None:
        """Counts an answer."""
        self.by_rcode[rcode.name] += 1

    def as_json(self) -> dict[str, Any]:
        """The counts, as the control API shows them."""
        return {"total": self.total, "by_rcode": dict(self.by_rcode), "by_domain": dict(self.by_domain)}
