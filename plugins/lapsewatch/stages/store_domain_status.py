"""Publishes a run's audited checks: a set-based merge into `domain_status`, and the lapses they open and end."""

import logging

from sqlalchemy import Engine

from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def store_domain_status(run: Run, status: Engine) -> Counts:
    """Merge the run's answers in one transaction. The history stays in `domain_check`; a repetition changes nothing."""
    key = {"run_id": run.run_id}
    with status.begin() as connection:
        counts: Counts = {
            "merged_count": connection.execute(statement("merge_domain_status"), key).rowcount,
            "ended_lapse_count": connection.execute(statement("end_lapses"), key).rowcount,
            "opened_lapse_count": connection.execute(statement("open_lapses"), key).rowcount,
        }
        connection.execute(statement("update_open_lapses"), key)
    log.info("Stored: %s", counts)
    return counts
