"""What a DAG that is to run after the daily one gets from it, in a real Airflow."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagModel, DagRun
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from airflow.utils.state import DagRunState
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from local.checkout import DAGS
from tests.conftest import LAPSED
from tests.e2e.conftest import Installation
from tests.e2e.test_deadline import store_dag as store_dags

DAG_ID = "example_daily_figures"


@pytest.fixture
def session(airflow: None) -> Iterator[Session]:
    """Airflow's metadata database, with the example switched on."""
    with create_session() as session:
        store_dags(session)
        assert session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == DAG_ID))
        switch(session, is_paused=False)
        yield session
        session.execute(delete(DagRun).where(DagRun.dag_id == DAG_ID))
        switch(session, is_paused=True)


def switch(session: Session, *, is_paused: bool) -> None:
    session.execute(update(DagModel).where(DagModel.dag_id == DAG_ID).values(is_paused=is_paused))
    session.commit()


def triggered(session: Session) -> list[DagRun]:
    """Have the scheduler make the runs for which assets were updated, and return them."""
    with prohibit_commit(session) as guard:
        SchedulerJobRunner(job=Job())._create_dagruns_for_dags(guard, session)
    session.expire_all()
    return list(session.scalars(select(DagRun).where(DagRun.dag_id == DAG_ID)))


def test_the_end_of_a_run_triggers_it_with_what_the_run_has_done(session: Session, installation: Installation) -> None:
    assert installation.run(dry_run=False) == "success"
    [run] = triggered(session)
    assert (run.run_type, run.state) == ("asset_triggered", DagRunState.QUEUED)
    event = max(run.consumed_asset_events, key=lambda event: event.timestamp)
    [row] = installation.status("select * from lapsewatch.run_metrics")
    told = ("run_id", "state", "planned_count", "checked_count", "newly_lapsed_count", "unverified_count")
    assert event.extra == {name: row[name] for name in told}
    assert event.extra["newly_lapsed_count"] == len(LAPSED)


def test_it_tells_the_figures_of_the_views(
    session: Session, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    assert installation.run() == "success"
    dag: Any = DagBag(DAGS).dags[DAG_ID]
    with caplog.at_level(logging.INFO):
        run = dag.test()
    assert run.state == DagRunState.SUCCESS
    [soon] = installation.status(
        "select count(*) as domains, coalesce(sum(single_address_account_count), 0)::int as accounts"
        " from lapsewatch.expiring_soon where days_left < 14"
    )
    [task] = run.get_task_instances()
    assert task.xcom_pull(task_ids="tell_figures") == {
        "expiring_domain_count": soon["domains"],
        "account_count": soon["accounts"],
    }
    for phase in installation.status("select phase, domain_count from lapsewatch.status_by_phase"):
        assert f"{phase['domain_count']} domains are {phase['phase']}" in caplog.text
