"""Which witnesses to ask beside the status API, and why: they are slower, so only where it matters."""

from datetime import timedelta
from enum import StrEnum

from lapsewatch.core.lifecycle import (
    ADVERSE,
    Case,
    Phase,
    has_come_to_its_date,
    is_near_its_date,
    phase_of,
    phase_of_record,
    standing,
)
from lapsewatch.core.policy import RUBYGEMS_FLAGS, Policy

MAX_RECORD_AGE = timedelta(days=90)
"""After this the registry's record is worth reading again although nothing is wrong: it shows a change of hands."""


class Need(StrEnum):
    """Why a second witness is asked. A run's budget goes to the doubtful domains first."""

    DOUBT = "doubt"
    DATE = "date"


def need_of(case: Case, policy: Policy) -> Need | None:
    """Say whether more is to be asked than the status API, whose flags the case holds, and why.

    Doubt is anything but a plainly registered domain: an adverse, weak or missing answer, an open lapse, an expiry, or
    an expiry date that has come. A date is wanted where the registry's record was never read, or is old.
    """
    if policy is Policy.PYPI:
        return None
    if policy is Policy.RUBYGEMS:
        return Need.DOUBT if RUBYGEMS_FLAGS.intersection(case.flags) else None
    previous = case.previous
    stood_well = previous.phase in {None, Phase.ACTIVE, Phase.UNKNOWN} and not (
        previous.lapsed_at or previous.adverse_since
    )
    if phase_of(case.flags) is not Phase.ACTIVE or not stood_well or has_come_to_its_date(case):
        return Need.DOUBT
    if previous.registry_seen_at is None or case.now - previous.registry_seen_at > MAX_RECORD_AGE:
        return Need.DATE
    return None


def wants_registry(policy: Policy) -> bool:
    """Tell whether a policy listens to the registry at all: RubyGems' rule knows flags and MX only."""
    return policy is Policy.CORROBORATED


def wants_dns(case: Case, policy: Policy) -> bool:
    """Tell whether DNS could settle something, once the registry has spoken: a lapse, or whether mail still arrives.

    That it does is worth knowing shortly before the expiry date, too: then it tells something when it stops.
    """
    if policy is Policy.CORROBORATED:
        record = phase_of_record(case.rdap)
        if record is Phase.UNKNOWN:
            return standing(case).phase in ADVERSE
        return record is Phase.EXPIRED or record in ADVERSE or is_near_its_date(case)
    return policy is Policy.RUBYGEMS and bool(RUBYGEMS_FLAGS.intersection(case.flags))
