"""When a domain is due again."""

from datetime import datetime, timedelta

from lapsewatch.core.policy import Verdict

INTERVALS = {
    Verdict.KEEP: timedelta(days=30),
    Verdict.WATCH: timedelta(days=1),
    Verdict.UNVERIFY: timedelta(days=1),
}
"""How long a verdict that rests on evidence stands: 30 days as PyPI does it, a day where something may be moving."""


def next_check_at(as_of: datetime, verdict: Verdict, *, has_evidence: bool) -> datetime:
    """Return when to ask again, counted from the run's own date, so that a late or repeated run shifts nothing.

    It falls on the start of a day: a daily run meets it exactly, a run by hand at noon does not postpone it.
    Without evidence the next run asks again, whenever that is.
    """
    day = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + INTERVALS[verdict] if has_evidence else day
