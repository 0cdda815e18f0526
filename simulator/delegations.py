"""What DNS holds of a domain while it is registered. The shares are those of `rates.py`."""

from collections.abc import Mapping
from enum import StrEnum

from simulator.draw import Draw, Weighted
from simulator.lives import Phase
from simulator.rates import RATES

PARKING_NAME_SERVERS = ("ns1.sedoparking.com", "ns2.sedoparking.com")


class Delegation(StrEnum):
    """Whether a domain is delegated at its parent, to whom, and what a mail server finds there."""

    MAIL_EXCHANGE = "MX and addresses"
    ADDRESS_ONLY = "addresses"  # the host itself takes the mail: the implicit MX of RFC 5321, section 5.1
    NULL_MX = "null MX and addresses"  # RFC 7505: takes no mail
    NO_MAIL = "neither MX nor address"
    PARKED = "parked"  # name servers of a parking service, with addresses and no MX
    NONE = "not delegated"


# Where the delegation of a domain, or what DNS holds of one of its hosts, differs from `MAIL_EXCHANGE`. In grace
# all stays as it was while active, unless it is said to change.
Delegations = Mapping[Phase, Delegation]

DELEGABLE = (Phase.ACTIVE, Phase.GRACE)
_ACTIVE = Weighted((Delegation(name), share) for name, share in RATES.active_delegations)
_GRACE = Weighted((name and Delegation(name), share) for name, share in RATES.grace_delegations)


def draw_delegations(draw: Draw) -> Delegations:
    """The phases in which one domain is delegated unlike most, and how; for most domains none."""
    active, grace = draw.weighted(_ACTIVE), draw.weighted(_GRACE)
    drawn: dict[Phase, Delegation] = {}
    if active is not Delegation.MAIL_EXCHANGE:
        drawn[Phase.ACTIVE] = active
    if grace:
        drawn[Phase.GRACE] = grace
    return drawn


def delegation(phase: Phase, flags: str, special: Delegations) -> Delegation:
    """What DNS holds of a domain in a phase in which the status API shows these flags.

    The flags are believed where they speak of DNS: `undelegated`, alone or with others, means that there is no
    delegation, `parked` that there is one to a parking service. Other oddities (`unknown`, `inactive active`)
    are the status API's own trouble: such a domain is delegated as if nothing were.
    """
    if phase not in DELEGABLE or "undelegated" in flags.split():
        return Delegation.NONE
    if phase in special:
        return special[phase]
    if "parked" in flags.split():
        return Delegation.PARKED
    return special.get(Phase.ACTIVE, Delegation.MAIL_EXCHANGE)
