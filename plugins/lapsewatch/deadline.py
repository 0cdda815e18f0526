"""By when the daily run must have succeeded, and what is said where it has not."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

from lapsewatch.params import run_deadline
from lapsewatch.telemetry import publish_overdue

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)


class DailyRun(BaseDeadlineReference):
    """When a scheduled run was due. Runs by hand have no deadline, and those of a backfill, whose date is long gone."""

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str) -> datetime | None:
        # Only Airflow's scheduler evaluates it; tasks, which read the DAG as well, have no models.
        from airflow.models import DagRun
        from airflow.utils.types import DagRunType
        from sqlalchemy import select

        return session.scalar(
            select(DagRun.run_after).where(
                DagRun.dag_id == dag_id, DagRun.run_id == run_id, DagRun.run_type == DagRunType.SCHEDULED
            )
        )


def daily_run_deadline() -> DeadlineAlert | None:
    """Return the alert of the daily run, None where no deadline is wanted. Airflow's triggerer raises it."""
    allowed = run_deadline()
    if allowed is None:
        return None
    return DeadlineAlert(
        name="daily run", reference=DailyRun(), interval=allowed, callback=AsyncCallback(report_overdue_run)
    )


async def report_overdue_run(context: Mapping[str, Any]) -> None:
    """Say in the triggerer's log, and to whoever collects metrics, that a run has not succeeded by its deadline."""
    run = context["dag_run"]
    log.error(
        "The daily run %s has not succeeded by %s, its deadline: it is %s. docs/operations.md says what to do.",
        run["dag_run_id"],
        context["deadline"]["deadline_time"],
        run["state"],
    )
    publish_overdue(datetime.now(UTC))
