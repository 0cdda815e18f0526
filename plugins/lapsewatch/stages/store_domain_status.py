"""Publishes a run's audited checks: one set-based merge into `domain_status`."""

import logging

from sqlalchemy import Engine

from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def store_domain_status(run: Run, status: Engine) -> Counts:
    """Merge the run's answers. The history stays in `domain_check`; a repeated merge changes nothing."""
    with status.begin() as connection:
        merged = connection.execute(statement("merge_domain_status"), {"run_id": run.run_id})
    counts: Counts = {"merged_count": merged.rowcount}
    log.info("Stored: %s", counts)
    return counts
