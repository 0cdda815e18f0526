"""How far the newest backfill has come, by Airflow's own rows: runs that have not begun are known nowhere else."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.models.backfill import Backfill, BackfillDagRun
from airflow.models.dagrun import DagRun
from airflow.utils.state import State
from fastapi import Depends
from sqlalchemy import func, select

from lapsewatch.page import addresses

SHOWN_FOR = timedelta(days=45)
"""As long as its runs are in the table."""


@dataclass(frozen=True, slots=True)
class Backfilling:
    """A backfill's first and last day, how many runs it has, and how many of them have ended, well or not."""

    from_date: datetime
    to_date: datetime
    run_count: int
    ended_count: int


def newest_backfill(session: SessionDep) -> Backfilling | None:
    """Return the newest backfill of the DAG; None where there is none that was begun lately and has runs."""
    ended = func.count().filter(DagRun.state.in_(State.finished_dr_states))
    row = session.execute(
        select(Backfill.from_date, Backfill.to_date, func.count(), ended)
        .join(BackfillDagRun, BackfillDagRun.backfill_id == Backfill.id)
        .join(DagRun, DagRun.id == BackfillDagRun.dag_run_id)
        .where(Backfill.dag_id == addresses.DAG_ID, Backfill.created_at > datetime.now(UTC) - SHOWN_FOR)
        .group_by(Backfill.id, Backfill.from_date, Backfill.to_date)
        .order_by(Backfill.id.desc())
        .limit(1)
    ).one_or_none()
    return Backfilling(*row) if row else None


NewestBackfill = Annotated[Backfilling | None, Depends(newest_backfill)]
