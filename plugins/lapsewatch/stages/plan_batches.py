"""Chooses what is due and writes it down: one planned `domain_check` row a domain, cut into batches."""

import logging
from datetime import UTC, datetime

from sqlalchemy import Engine

from lapsewatch.core.batches import DOMAINS_PER_BATCH, MAX_BATCHES
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import stage
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def plan_batches(run: Run, status: Engine) -> list[int]:
    """Return the numbers of the run's batches, none where nothing is due. A planned run is not planned again."""
    with stage(status, run.run_id, "plan_batches") as counts, status.begin() as connection:
        if connection.scalar(statement("select_planned_at"), {"run_id": run.run_id}) is None:
            planned_at = datetime.now(UTC)
            connection.execute(statement("create_check_partition"), {"planned_at": planned_at})
            values = {
                "run_id": run.run_id,
                "planned_at": planned_at,
                "as_of": run.as_of,
                "scope": run.scope,
                "domains": list(run.domains),
                "provider": run.client,
                "max_batches": MAX_BATCHES,
                "domains_per_batch": DOMAINS_PER_BATCH,
            }
            connection.execute(statement("insert_planned_checks"), values)
        batches = connection.execute(statement("select_batches"), {"run_id": run.run_id}).all()
        counts |= {"batch_count": len(batches), "planned_count": sum(batch.domain_count for batch in batches)}
        if run.scope == "list":
            counts["unknown_count"] = len(run.domains) - sum(batch.domain_count for batch in batches)
            log.warning("%s of the listed domains are behind no verified address", counts["unknown_count"])
    log.info("Planned: %s", counts)
    return [batch.batch for batch in batches]
