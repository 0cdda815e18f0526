"""When a domain is due again, and which cohort has its day when."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta

from lapsewatch.core.policy import Verdict

COHORTS = 30
"""The days within which every domain is asked about once, as PyPI does it: each day one cohort's."""


def cohort_of(domain: str) -> int:
    """Return the cohort of a domain (A-labels), 0 to 29; `lapsewatch.cohort_of` in PostgreSQL says the same."""
    return int.from_bytes(hashlib.sha256(domain.encode()).digest()[:4]) % COHORTS


def cohort_of_day(day: date) -> int:
    """Return the cohort whose day it is: any 30 days in a row are the days of all cohorts."""
    return day.toordinal() % COHORTS


def next_cohort_day(cohort: int, after: date) -> date:
    """Return the cohort's first day after the given one: 1 to 30 days later."""
    return after + timedelta(days=(cohort - cohort_of_day(after) - 1) % COHORTS + 1)


def next_check_at(domain: str, day: date, now: datetime, verdict: Verdict, *, has_evidence: bool) -> datetime:
    """Return when a run of the given day asks about a domain again, by an answer of now: the start of a day (UTC).

    A keep stands until the next day of the domain's cohort, so that a day's share never piles up; it counts from the
    day of the answer where the run's own date is earlier, as in a backfill. Anything else is asked again on the day
    after the run's own date, so that a late or repeated run shifts nothing; without evidence the next run asks again,
    whenever that is.
    """
    if not has_evidence:
        due = day
    elif verdict is Verdict.KEEP:
        due = next_cohort_day(cohort_of(domain), max(day, now.astimezone(UTC).date()))
    else:
        due = day + timedelta(days=1)
    return datetime.combine(due, time(), UTC)
