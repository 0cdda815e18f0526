"""The status values that registries and registrars show (RFC 8056, with spaces)."""

from simulator.delegations import Delegation
from simulator.lives import Phase
from simulator.rdap.registries import Registry


def registry_status(
    registry: Registry, phase: Phase, delegation: Delegation, *, is_auto_renewed: bool = False
) -> list[str]:
    """What a registry shows of a registered domain; `is_auto_renewed`, although it is paid for."""
    standing = registry.standing_status
    if registry.says_inactive and delegation is Delegation.NONE:
        standing = "inactive"
    is_renewed_by_registry = phase is Phase.GRACE or (is_auto_renewed and registry.renews_by_itself)
    grace = ["auto renew period"] if is_renewed_by_registry and registry.shows_grace else []
    match phase:
        case Phase.HELD:
            # `active` stands for EPP's `ok`, which goes with no other status (RFC 5731, section 2.3).
            return [*([] if standing in ("active", "inactive") else [standing]), "client hold", *grace]
        case Phase.REDEMPTION:
            deletion = ["pending delete"] if registry.pending_delete_from_redemption else []
            return ["redemption period", *deletion]
        case Phase.PENDING_DELETE:
            return ["pending delete"]
    return [standing, *grace]


def registrar_status(phase: Phase) -> list[str]:
    """What a registrar shows: its own locks and holds, never the registry's grace, redemption and deletion."""
    match phase:
        case Phase.HELD | Phase.REDEMPTION | Phase.PENDING_DELETE:
            return ["client hold"]
        case Phase.GRACE:
            return ["active"]
    return ["client transfer prohibited"]
