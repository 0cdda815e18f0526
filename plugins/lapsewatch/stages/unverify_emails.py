"""Takes away the verifications that the run has planned to, in the user database, a bounded transaction at a time."""

import logging

from sqlalchemy import Engine

from lapsewatch.core.policy import MAX_EVIDENCE_AGE
from lapsewatch.stages.intents import ADDRESSES_PER_TRANSACTION, carry_out
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import UserDatabase

log = logging.getLogger(__name__)


def unverify_emails(run: Run, users: UserDatabase, status: Engine) -> Counts:
    """Carry out the run's intents while their evidence is fresh; a dry run carries out nothing.

    An address that is no longer verified, or was verified again since, is skipped.
    """
    if run.dry_run:
        log.info("Dry run, nothing is changed")
        return {"unverified_count": 0, "skipped_count": 0}
    unverified = skipped = 0
    values = {
        "run_id": run.run_id,
        "policy": run.policy.value,
        "most": ADDRESSES_PER_TRANSACTION,
        "evidence_since": run.clock() - MAX_EVIDENCE_AGE,
    }
    with status.begin() as connection:
        connection.execute(statement("analyze_unverifications"))
    while True:
        with status.begin() as connection:
            rows = connection.execute(statement("select_planned_unverifications"), values).all()
            if not rows:
                break
            done = carry_out(connection, users, rows)
        unverified += done
        skipped += len(rows) - done
        log.info("Unverified %s, skipped %s so far", unverified, skipped)
    counts: Counts = {"unverified_count": unverified, "skipped_count": skipped}
    log.info("Unverified: %s", counts)
    return counts
