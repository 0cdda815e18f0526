"""Sums a run up, also one that failed: a `run_metrics` row that says what it saw, asked, found and did, and in
`run_phase` how all domains in use stand since.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Row

from lapsewatch.stages.approve_unverifications import Answer
from lapsewatch.stages.run import STAGES, Run
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)

EXTRACTED = (
    "address_count",
    "provider_address_count",
    "set_aside_count",
    "host_count",
    "domain_count",
    "new_domain_count",
    "shared_run_id",
)
TOLD = ("state", "planned_count", "checked_count", "newly_lapsed_count", "unverified_count")


def summarise_run(run: Run, status: Engine) -> dict[str, object]:
    """Write the run's metrics from its journal and its rows, and the state of all domains; return its state and the
    counts that matter most.
    """
    key = {"run_id": run.run_id}
    with status.begin() as connection:
        journal = connection.execute(statement("select_stages"), key).all()
        figures = connection.execute(statement("select_summary"), key).mappings().one()
        counts = {row.stage: row.counts for row in journal if row.state == "success"}
        extracted = counts.get("extract_domains", {})
        planned = counts.get("plan_unverifications", {})
        notified = counts.get("notify_owners", {})
        # An earlier attempt at this run may have asked; this one did not.
        approval = figures["approval"] if planned.get("question_count") else None
        failed_stage, error = _first_trouble(journal, is_rejected=approval == Answer.REJECTED)
        connection.execute(statement("delete_run_phases"), key)
        standing = {"now": run.clock(), "is_stored": "store_domain_status" in counts}
        coverage = connection.execute(statement("insert_run_phases"), key | standing).mappings().one()
        metrics = {
            **figures,
            **coverage,
            **{name: extracted.get(name) for name in EXTRACTED},
            "set_aside": json.dumps(extracted.get("set_aside", {})),
            "phases": json.dumps(figures["phases"]),
            "sources": json.dumps(figures["sources"]),
            "no_evidence": json.dumps(figures["no_evidence"]),
            "stage_seconds": json.dumps(figures["stage_seconds"]),
            "candidate_count": planned.get("candidate_count"),
            "approval": approval,
            "exempt_count": planned.get("exempt_count"),
            "exceeded": json.dumps(planned.get("exceeded", [])),
            "notification_count": json.dumps(notified.get("notification_count", {})),
            "undelivered_count": notified.get("undelivered_count"),
            "as_of": run.as_of,
            "provider": run.client,
            "policy": run.policy.value,
            "ended_lapse_count": counts.get("store_domain_status", {}).get("ended_lapse_count", 0),
            "unwitnessed_count": counts.get("corroborate_checks", {}).get("unwitnessed_count", 0),
            "dry_run": run.dry_run,
            "state": "failed" if failed_stage else "success",
            "failed_stage": failed_stage,
            "error": error,
        }
        connection.execute(statement("upsert_run_metrics"), key | metrics)
    summary = {name: metrics[name] for name in TOLD}
    log.info("Summary: %s", summary)
    return summary


def _first_trouble(journal: Sequence[Row[Any]], *, is_rejected: bool) -> tuple[str | None, str | None]:
    """Return the first stage before the summary that did not finish, and why if it said so.

    Where a person has rejected it, nothing needs to be unverified.
    """
    batches = next((row.counts.get("batch_count", 0) for row in journal if row.stage == "plan_batches"), 0)
    for name in STAGES[: STAGES.index("summarise_run")]:
        attempts = [row for row in journal if row.stage == name]
        trouble = next((row for row in attempts if row.state != "success"), None)
        if trouble:
            return name, trouble.error
        expected = {"check_batch": batches, "unverify_emails": int(not is_rejected)}.get(name, 1)
        if len(attempts) < expected:
            return name, None
    return None, None
