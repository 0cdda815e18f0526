"""What a domain's phase means for the addresses under it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from lapsewatch.core.lifecycle import Phase

MAX_EVIDENCE_AGE = timedelta(hours=48)
"""How old the evidence of a lapse may be when an address is unverified on it. Older evidence is asked for again."""


class Verdict(StrEnum):
    """Keep the trust, keep it but ask again tomorrow, or stop trusting the addresses."""

    KEEP = "keep"
    WATCH = "watch"
    UNVERIFY = "unverify"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and its reason in words that support staff can paste."""

    verdict: Verdict
    reason: str


_DECISIONS = {
    Phase.ACTIVE: Decision(Verdict.KEEP, "the domain is registered"),
    Phase.RESERVED: Decision(
        Verdict.WATCH, "the registry keeps the domain back or sells it itself: it is asked about again tomorrow"
    ),
    Phase.UNDELEGATED: Decision(
        Verdict.WATCH, "the domain is not in DNS, which is weak evidence: it is asked about again tomorrow"
    ),
    Phase.UNKNOWN: Decision(Verdict.WATCH, "no evidence: nothing changes, and the next run asks again"),
    Phase.REDEMPTION: Decision(
        Verdict.UNVERIFY,
        "the domain was not renewed and is in redemption: only a paid restore brings it back",
    ),
    Phase.PENDING_DELETE: Decision(
        Verdict.UNVERIFY, "the domain was not renewed and is about to be deleted: then anyone can register it"
    ),
    Phase.RELEASED: Decision(Verdict.UNVERIFY, "the domain is not registered: anyone can register it"),
}


def decide(phase: Phase) -> Decision:
    """Decide on a phase. A lapse is, for now, what the leading flag says: `expiring`, `deleting` or `inactive`."""
    return _DECISIONS[phase]
