"""The daily run's deadline, with what Airflow has for it: its scheduler notices, its triggerer tells."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.jobs.job import Job, run_job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun, Trigger
from airflow.models.dagbag import DBDagBag
from airflow.models.deadline import Deadline
from airflow.models.taskinstance import clear_task_instances
from airflow.timetables.base import DataInterval
from airflow.triggers.callback import CallbackTrigger
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tests.monitoring.receivers import statsd

DAG_ID = "check_domain_status"
LONG_AGO = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def session(airflow: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Airflow's metadata database with the DAG in it, as its owner has it by default: due within twelve hours."""
    with create_session() as session:
        monkeypatch.delenv("AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS")
        # Another test may have left the run of today.
        session.execute(delete(DagRun).where(DagRun.dag_id == DAG_ID))
        store_dag(session)
        yield session
        session.rollback()
        session.execute(delete(DagRun).where(DagRun.dag_id == DAG_ID))
        monkeypatch.setenv("AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS", "0")
        store_dag(session)


def store_dag(session: Session) -> None:
    """What the DAG processor does."""
    manager = DagBundlesManager()
    manager.sync_bundles_to_db(session=session)
    session.commit()
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        sync_bag_to_db(bag, bundle.name, bundle_version=None, session=session)
    session.commit()


def stored_dag(session: Session) -> Any:
    dag = DBDagBag().get_latest_version_of_dag(DAG_ID, session=session)
    assert dag is not None
    return dag


def begin(session: Session, run_type: DagRunType, due: datetime, logical_date: datetime | None) -> DagRun:
    """Have Airflow make a run that is at work."""
    run: DagRun = stored_dag(session).create_dagrun(
        run_id=run_type.generate_run_id(suffix=due.isoformat()),
        logical_date=logical_date,
        data_interval=DataInterval(logical_date, logical_date) if logical_date else None,
        run_after=due,
        run_type=run_type,
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        session=session,
    )
    session.commit()
    return run


def deadlines(session: Session) -> list[Deadline]:
    session.expire_all()
    return list(session.scalars(select(Deadline).join(DagRun).where(DagRun.dag_id == DAG_ID)))


def let_the_scheduler_look() -> None:
    job = Job()
    run_job(job=job, execute_callable=SchedulerJobRunner(job=job, num_runs=1)._execute)


def test_the_daily_run_is_due_half_a_day_after_its_hour(session: Session) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin(session, DagRunType.SCHEDULED, midnight, midnight)
    assert [deadline.deadline_time for deadline in deadlines(session)] == [midnight + timedelta(hours=12)]


@pytest.mark.parametrize(
    ("run_type", "logical_date"),
    [(DagRunType.MANUAL, None), (DagRunType.MANUAL, LONG_AGO), (DagRunType.BACKFILL_JOB, LONG_AGO)],
)
def test_no_other_run_has_a_deadline(session: Session, run_type: DagRunType, logical_date: datetime | None) -> None:
    begin(session, run_type, datetime.now(UTC), logical_date)
    assert deadlines(session) == []


def test_a_run_that_is_late_is_told_to_the_log_and_to_whoever_collects_metrics(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    late, early = datetime.now(UTC) - timedelta(hours=13), datetime.now(UTC) - timedelta(hours=11)
    for due in (late, early):
        begin(session, DagRunType.SCHEDULED, due, due)
    let_the_scheduler_look()
    missed = [deadline for deadline in deadlines(session) if deadline.missed]
    assert [deadline.dagrun.run_after for deadline in missed] == [late]

    trigger = session.get(Trigger, missed[0].callback.trigger_id)
    assert trigger is not None
    caplog.clear()
    with statsd() as listening, caplog.at_level(logging.ERROR, "lapsewatch"):
        asyncio.run(as_the_triggerer_does(CallbackTrigger(**trigger.kwargs)))
        received = listening.received()
    [said] = [record.getMessage() for record in caplog.records if record.name == "lapsewatch.deadline"]
    assert f"The daily run scheduled__{late.isoformat()} has not succeeded" in said
    assert "it is running" in said
    [metric] = received
    assert metric.name == "airflow.lapsewatch.run.overdue_at"
    assert metric.value == pytest.approx(datetime.now(UTC).timestamp(), abs=60)


async def as_the_triggerer_does(trigger: CallbackTrigger) -> None:
    states = [event.payload["state"] async for event in trigger.run()]
    assert states == ["running", "success"]


def test_a_run_that_succeeds_in_time_is_never_called_late(session: Session) -> None:
    due = datetime.now(UTC)
    run = begin(session, DagRunType.SCHEDULED, due, due)
    assert deadlines(session)
    for task in run.get_task_instances(session=session):
        task.set_state(TaskInstanceState.SUCCESS, session=session)
    run.dag = stored_dag(session)
    run.update_state(session=session)
    session.commit()
    assert run.state == DagRunState.SUCCESS
    assert deadlines(session) == []


def test_a_run_with_a_deadline_can_be_cleared(session: Session) -> None:
    due = datetime.now(UTC)
    run = begin(session, DagRunType.SCHEDULED, due, due)
    clear_task_instances(run.get_task_instances(session=session), session)
    session.commit()
    assert [deadline.deadline_time for deadline in deadlines(session)] == [due + timedelta(hours=12)]
