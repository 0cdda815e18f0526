"""Where a domain stands in its life, as far as the status flags can say.

The phases follow the life of a gTLD registration (ICANN ERRP; RFC 3915). Flags come in increasing order of
precedence, so the right-most one leads: `undelegated active` is a registered domain.
"""

from collections.abc import Sequence
from enum import StrEnum

from lapsewatch.core.evidence import Flag


class Phase(StrEnum):
    """A stage of a registration, from the point of view of somebody who trusts an address under it."""

    ACTIVE = "active"
    REDEMPTION = "redemption"
    PENDING_DELETE = "pending_delete"
    RELEASED = "released"
    UNDELEGATED = "undelegated"
    RESERVED = "reserved"
    UNKNOWN = "unknown"


PHASE_OF_LEADING_FLAG: dict[Flag, Phase] = {
    Flag.ACTIVE: Phase.ACTIVE,
    # Registered and on offer: whoever sells it still owns it.
    Flag.PARKED: Phase.ACTIVE,
    Flag.MARKETED: Phase.ACTIVE,
    Flag.PRICED: Phase.ACTIVE,
    Flag.TRANSFERABLE: Phase.ACTIVE,
    Flag.EXPIRING: Phase.REDEMPTION,
    Flag.DELETING: Phase.PENDING_DELETE,
    Flag.INACTIVE: Phase.RELEASED,
    # Not in DNS says nothing about the registration; the API also answers so when a registry is silent.
    Flag.UNDELEGATED: Phase.UNDELEGATED,
    # Kept back by the registry or somebody's right, or on sale by the registry at its own price.
    Flag.CLAIMED: Phase.RESERVED,
    Flag.RESERVED: Phase.RESERVED,
    Flag.DPML: Phase.RESERVED,
    Flag.DISALLOWED: Phase.RESERVED,
    Flag.PREMIUM: Phase.RESERVED,
    # No answer about a registrable domain.
    Flag.UNKNOWN: Phase.UNKNOWN,
    Flag.PENDING: Phase.UNKNOWN,
    Flag.INVALID: Phase.UNKNOWN,
    Flag.SUFFIX: Phase.UNKNOWN,
    Flag.ZONE: Phase.UNKNOWN,
    Flag.TLD: Phase.UNKNOWN,
}


def phase_of(flags: Sequence[Flag]) -> Phase:
    """Return the phase that the flags tell of; UNKNOWN, which is no evidence, where there are none."""
    return PHASE_OF_LEADING_FLAG[flags[-1]] if flags else Phase.UNKNOWN
