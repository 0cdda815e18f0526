"""The stage that audits, apart from the others: its process has Great Expectations in memory before it begins.

So has a task, which is forked from a process that has imported it.
"""

from lapsewatch.stages.validate_checks import validate_checks
from lapsewatch.status_database.journal import Counts, stage

from benchmarks import walk
from benchmarks.databases import engine_on


def take(name: str, run_id: str, scope: str, _users_url: str, status_url: str) -> Counts:
    """Validate a run's checks, with its journal; return what it counted."""
    status = engine_on(status_url)
    with stage(status, run_id, name) as counts:
        counts |= validate_checks(walk.run_of(run_id, scope), status)
    return counts
