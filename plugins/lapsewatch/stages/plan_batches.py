"""Chooses what is due and writes it down: one planned `domain_check` row a domain, cut into batches."""

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine

from lapsewatch.core.batches import DOMAINS_PER_BATCH, MAX_BATCHES
from lapsewatch.stages.run import Run
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def plan_batches(run: Run, status: Engine) -> tuple[list[int], int]:
    """Return the numbers of the run's batches, none where nothing is due, and how many domains they hold.

    A run that is planned keeps its plan.
    """
    planned_at = run.clock()
    key = {"run_id": run.run_id}
    listed = run.listed_domains()
    with status.begin() as connection:
        # On its own and first: a transaction that had read the table already could not wait for another's partition.
        connection.execute(statement("create_check_partition"), {"planned_at": planned_at})
    with status.begin() as connection:
        connection.execute(statement("lock_run"), key)
        if connection.scalar(statement("select_planned_at"), key) is None:
            _insert_checks(connection, run, listed, planned_at)
        else:
            log.info("The run was planned before and keeps its plan")
        batches = connection.execute(statement("select_batches"), key).all()
    planned = sum(batch.domain_count for batch in batches)
    log.info("Planned: %s domains in %s batches", planned, len(batches))
    return [batch.batch for batch in batches], planned


def _insert_checks(connection: Connection, run: Run, listed: list[str], planned_at: datetime) -> None:
    values = {
        "run_id": run.run_id,
        "planned_at": planned_at,
        "as_of": run.as_of,
        "scope": run.scope,
        "domains": listed,
        "provider": run.client,
        "max_batches": MAX_BATCHES,
        "domains_per_batch": DOMAINS_PER_BATCH,
    }
    inserted = connection.execute(statement("insert_planned_checks"), values)
    if unused := len(listed) - inserted.rowcount if listed else 0:
        log.warning("%s of the %s listed domains are behind no verified address", unused, len(listed))
