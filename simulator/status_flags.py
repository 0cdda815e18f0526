"""What the status API says of a domain: space-separated flags, the right-most of which matters most.

The vocabulary is Domainr's, the shares are those of `rates.py`.
"""

from collections.abc import Mapping
from datetime import datetime

from simulator.draw import Draw, Weighted
from simulator.lives import Life, Phase
from simulator.rates import RATES
from simulator.zones import zone_of

# What a domain shows in each phase, unless it has a quirk.
USUAL_FLAGS: Mapping[Phase, str] = {
    Phase.NEVER_REGISTERED: "undelegated inactive",
    Phase.ACTIVE: "active",
    Phase.HELD: "undelegated active",
    Phase.GRACE: "active",
    Phase.REDEMPTION: "undelegated active expiring",
    Phase.PENDING_DELETE: "undelegated active deleting",
    Phase.RELEASED: "undelegated inactive",
}

_FLAGS_BY_PHASE = {
    Phase.ACTIVE: Weighted(RATES.active_flags),
    Phase.GRACE: Weighted(RATES.grace_flags),
    Phase.REDEMPTION: Weighted(RATES.redemption_flags),
    Phase.PENDING_DELETE: Weighted(RATES.pending_delete_flags),
    Phase.RELEASED: Weighted(RATES.released_flags),
}

# The flags a domain shows in a phase instead of the usual ones.
Quirks = Mapping[Phase, str]


def draw_quirks(draw: Draw) -> Quirks:
    """The phases in which one domain differs from the usual, and how; for most domains none."""
    drawn = {phase: draw.weighted(flags) for phase, flags in _FLAGS_BY_PHASE.items()}
    return {phase: flags for phase, flags in drawn.items() if flags != USUAL_FLAGS[phase]}


def status_flags(domain: str, life: Life | None, quirks: Quirks, instant: datetime) -> str:
    """The flags of a domain (A-labels) at an instant; without a life it was never registered."""
    if zone_of(domain) == domain:
        return "suffix zone" if "." in domain else "suffix zone tld"
    phase = life.phase_at(instant) if life else Phase.NEVER_REGISTERED
    return quirks.get(phase, USUAL_FLAGS[phase])
