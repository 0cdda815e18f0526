"""What the runs of a backfill share: an extraction of the user database is made once a day, not once a run."""

import json
import logging
from datetime import UTC

from sqlalchemy import Connection

from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def shared_extraction(connection: Connection, run: Run, kind: str) -> Counts | None:
    """Return what another run's extraction counted that this one may go by, with that run's id as `shared_run_id`.

    None where the run has to extract for itself: one that is no backfill always does, and so does the first of the UTC
    day. Waits for an extraction of the kind that is going on, and keeps others waiting until the transaction ends.
    """
    connection.execute(statement("lock_extraction"), {"kind": kind})
    if not run.is_backfill:
        return None
    today = run.clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = connection.execute(statement("select_extraction"), {"kind": kind, "today": today}).one_or_none()
    if found is None:
        return None
    log.info("The extraction of %s is shared: %s", found.run_id, found.counts)
    # A repeated attempt goes by its own.
    return found.counts if found.run_id == run.run_id else {**found.counts, "shared_run_id": found.run_id}


def record_extraction(connection: Connection, run: Run, kind: str, counts: Counts) -> None:
    """Keep what the run's own extraction counted for the runs that share it, in the extraction's transaction."""
    values = {"kind": kind, "run_id": run.run_id, "now": run.clock(), "counts": json.dumps(counts)}
    connection.execute(statement("upsert_extraction"), values)
