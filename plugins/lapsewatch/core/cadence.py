"""When a domain is due again, and whom that check asks: calls are spent where a lapse can happen.

The status API's calls are paid for, the registry's are not (RDAP, at most one a second and server). Where the registry
answers, it says more than the API, and its expiry date says when to look; where it does not, the API is asked more
often than every 30 days, as often as the budget of calls allows. `docs/protection.md` shows what each of this is worth.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from lapsewatch.core.evidence import Flag
from lapsewatch.core.lifecycle import ADVERSE, Case, Phase, Witness, phase_of_record
from lapsewatch.core.policy import Decision, Policy, Verdict, is_evidence

COHORTS = 30
"""The days within which every domain is asked about once, as PyPI does it: each day one cohort's."""

UNDATED_INTERVAL = 10
"""Days between questions to a registry that gives no expiry date, so that a redemption is seen in its first third."""

API_TURN = 3
"""Each third time that a domain's cohort has its day, the status API is asked although the registry answers."""

RECORD_STANDS = timedelta(days=100)
"""How long after its registry last spoke of it a domain counts as one whose registry answers: longer than three cohort
days, so that one bad day of the registry between turns of the status API is none of a silent registry."""

LONGEST_YEAR = timedelta(days=366)
GRACE = timedelta(days=47)
"""The auto-renew grace period, at most 45 days (ICANN ERRP), the day on which it ends, and a leap day."""

DAYS_A_YEAR = 365

LEAST_INTERVAL = 4
"""Days: pending delete lasts five (ICANN ERRP), and none should pass between two calls."""

WAY_DOWN_SHARE = 0.1
"""The part of the budget that is kept for what is asked about more often, where no registry answers."""


class Cadence(StrEnum):
    """How checks are spread: where lapses can happen, or everybody by the status API every 30 days."""

    ADAPTIVE = "adaptive"
    MONTHLY = "monthly"


class Source(StrEnum):
    """Whom a check asks first; the status API's calls are paid for."""

    STATUS_API = "status_api"
    REGISTRY = "registry"


class NextCheck(NamedTuple):
    """When a domain is due again, at the start of a day (UTC), and whom to ask then."""

    at: datetime
    source: Source


@dataclass(frozen=True, slots=True)
class Pace:
    """The cadence of a run; `api_interval` is the days between calls about a domain whose registry does not answer."""

    cadence: Cadence = Cadence.ADAPTIVE
    api_interval: int = COHORTS


def cohort_of(domain: str) -> int:
    """Return the cohort of a domain (A-labels), 0 to 29; `lapsewatch.cohort_of` in PostgreSQL says the same."""
    return _number_of(domain) % COHORTS


def cohort_of_day(day: date) -> int:
    """Return the cohort whose day it is: any 30 days in a row are the days of all cohorts."""
    return day.toordinal() % COHORTS


def next_cohort_day(cohort: int, after: date) -> date:
    """Return the cohort's first day after the given one: 1 to 30 days later."""
    return _next_turn(cohort, after, COHORTS)


def api_interval(domain_count: int, unheard_count: int, calls_per_year: float) -> int:
    """Return the days between calls about each domain whose registry does not answer, 4 to 30.

    Of `domain_count` domains in use these are `unheard_count`; `calls_per_year` is what may be spent on a domain in the
    mean of all. Where a registry answers, the API still has its rare turns.
    """
    turns = (domain_count - unheard_count) * DAYS_A_YEAR / (COHORTS * API_TURN)
    left = calls_per_year * domain_count * (1 - WAY_DOWN_SHARE) - turns
    if left <= 0:
        return COHORTS
    return min(max(math.ceil(unheard_count * DAYS_A_YEAR / left), LEAST_INTERVAL), COHORTS)


def next_check(domain: str, day: date, case: Case, decision: Decision, policy: Policy, pace: Pace) -> NextCheck:
    """Return when a run after that of the given day asks about a domain again, and whom, by what was decided now.

    Days count from the run's own, or from the day of the answer where that is later, as in a backfill; only what may be
    moving is due on the day after the run's own, so that a late or repeated run shifts nothing. Without evidence the
    next run asks the status API, whenever that is.
    """
    if not is_evidence(case, decision):
        return _due(day, Source.STATUS_API)
    is_adaptive = pace.cadence is Cadence.ADAPTIVE and policy is Policy.CORROBORATED
    if decision.verdict is not Verdict.KEEP:
        answers = is_adaptive and phase_of_record(case.rdap) is not Phase.UNKNOWN and not _stands_alone(decision)
        return _due(day + timedelta(days=1), Source.REGISTRY if answers else Source.STATUS_API)
    today, number = max(day, case.now.astimezone(UTC).date()), _number_of(domain)
    if not is_adaptive:
        return _due(_next_turn(number, today, COHORTS), Source.STATUS_API)
    if not _registry_answers(case):
        # It is no evidence, but a lapse goes by it: `deleting`, if it is ever shown, is shown for five days.
        every = min(LEAST_INTERVAL, pace.api_interval) if Flag.UNDELEGATED in case.flags else pace.api_interval
        return _due(_next_turn(number, today, every), Source.STATUS_API)
    turn, wanted = _next_turn(number, today, COHORTS), _day_to_look(case, number, today)
    # Where there is a date, a look that it asks for goes before the API's turn.
    if wanted < turn or (wanted == turn and _expires_at(case) is not None):
        return _due(wanted, Source.REGISTRY)
    is_api_turn = turn.toordinal() // COHORTS % API_TURN == number // COHORTS % API_TURN
    return _due(turn, Source.STATUS_API if is_api_turn else Source.REGISTRY)


def _stands_alone(decision: Decision) -> bool:
    """Tell whether a registry speaks of a lapse, and nobody else does: then the status API may contradict it."""
    return decision.phase in ADVERSE and decision.witnesses == (Witness.RDAP,)


def _registry_answers(case: Case) -> bool:
    if phase_of_record(case.rdap) is not Phase.UNKNOWN:
        return True
    seen_at = case.previous.registry_seen_at
    return seen_at is not None and case.now - seen_at <= RECORD_STANDS


def _expires_at(case: Case) -> datetime | None:
    if phase_of_record(case.rdap) is not Phase.UNKNOWN and case.rdap is not None:
        return case.rdap.expires_at
    return case.previous.expires_at


def _day_to_look(case: Case, number: int, today: date) -> date:
    """Return the next day on which the expiry date makes a look worthwhile.

    That is each day while the domain may be in grace; else the day before the date, so that who has renewed by then
    need not be asked daily, and the day after it. Without a date it is one of every ten.
    """
    expires_at = _expires_at(case)
    if expires_at is None:
        return _next_turn(number, today, UNDATED_INTERVAL)
    tomorrow = today + timedelta(days=1)
    if _may_be_in_grace(case, expires_at):
        return tomorrow
    eve = expires_at.astimezone(UTC).date() - timedelta(days=1)
    return eve if eve >= tomorrow else max(eve + timedelta(days=2), tomorrow)


def _may_be_in_grace(case: Case, expires_at: datetime) -> bool:
    """Tell whether the date may have been moved by the registry itself, in the last 45 days, and nobody have paid.

    Many registries add a year at the date, whether the owner pays or not (RFC 3915, section 3.1); some do not even show
    the grace period. A date that was seen before the registry could have moved it was paid for.
    """
    moved_at = expires_at - LONGEST_YEAR
    if not moved_at <= case.now < moved_at + GRACE:
        return False
    previous = case.previous
    seen_before = previous.registry_seen_at is not None and previous.registry_seen_at < moved_at
    return not (seen_before and previous.expires_at is not None and previous.expires_at >= expires_at)


@lru_cache(maxsize=1024)
def _number_of(domain: str) -> int:
    return int.from_bytes(hashlib.sha256(domain.encode()).digest()[:4])


def _next_turn(number: int, after: date, every: int) -> date:
    """Return the first day after the given one whose turn it is, where each number has one in `every` days."""
    return after + timedelta(days=(number - after.toordinal() - 1) % every + 1)


def _due(day: date, source: Source) -> NextCheck:
    return NextCheck(datetime.combine(day, time(), UTC), source)
