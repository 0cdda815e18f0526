"""What the tasks hand on from Airflow to the stages."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.api.datamodels._generated import DagRunType
from lapsewatch import connections, tasks
from lapsewatch.core.cadence import Cadence
from lapsewatch.core.errors import SetupError
from sqlalchemy import Engine, text

from tests.conftest import API_KEY, SimulatedInternet
from tests.e2e.conftest import connection_json
from tests.stages.conftest import rows

LONG_AGO = datetime(2020, 2, 1, tzinfo=UTC)

Begin = Callable[..., None]


@pytest.fixture
def begin(
    dag_bag: Any, status_url: str, reader_url: str, internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> Begin:
    """Has tasks that are called find themselves in a run of that type, with these Params."""
    dag: DAG = dag_bag.dags["check_domain_status"]
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json(status_url))
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(reader_url, profile="pypi"))
    fastly = {"conn_type": "http", "host": internet.url, "password": API_KEY}
    monkeypatch.setenv("AIRFLOW_CONN_FASTLY_API", json.dumps(fastly))

    def run(run_type: str = "manual", logical_date: datetime | None = None, **params: Any) -> None:
        dag_run = SimpleNamespace(
            run_type=DagRunType(run_type),
            logical_date=logical_date,
            run_after=datetime.now(UTC),
            clear_number=0,
            conf=params,
        )
        context = {"run_id": f"{run_type}__one", "dag_run": dag_run, "params": dag.params.dump() | params}
        monkeypatch.setattr(tasks, "get_current_context", lambda: context)

    return run


def test_a_run_whose_configuration_holds_no_param_ends_at_its_first_task(begin: Begin, status: Engine) -> None:
    begin(dry_runs=False)
    with pytest.raises(SetupError, match="'dry_runs', which is no Param"):
        tasks.extract_domains.function()
    assert [row["state"] for row in rows(status, "select state from lapsewatch.run_stage")] == ["failed"]


def test_where_lapses_are_only_reported_a_run_that_would_unverify_ends_at_its_first_task(
    begin: Begin, status: Engine, reader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(reader_url, profile="pypi", on_lapse="report"))
    begin(dry_run=False)
    with pytest.raises(SetupError, match=r"nothing is unverified in PyPI .*set 'on_lapse' to 'unverify'"):
        tasks.extract_domains.function()
    begin(dry_run=True)
    tasks.extract_domains.function()
    assert [row["state"] for row in rows(status, "select state from lapsewatch.run_stage")] == ["success"]


def test_a_run_is_what_its_params_say(begin: Begin) -> None:
    begin(recheck=True, requests_per_second=2.5, cadence="monthly", calls_per_domain_year=6)
    assert (tasks._run().recheck, tasks._run().requests_per_second) == (True, 2.5)
    assert (tasks._run().cadence, tasks._run().calls_per_domain_year) == (Cadence.MONTHLY, 6)
    begin()
    assert (tasks._run().recheck, tasks._run().requests_per_second) == (False, None)
    assert (tasks._run().cadence, tasks._run().calls_per_domain_year) == (Cadence.ADAPTIVE, 12)


def test_a_date_in_the_future_is_taken_for_now(begin: Begin) -> None:
    now = datetime.now(UTC)
    begin(logical_date=now + timedelta(days=30))
    assert now <= tasks._run().as_of <= datetime.now(UTC)
    begin(logical_date=LONG_AGO)
    assert tasks._run().as_of == LONG_AGO


@pytest.mark.parametrize(("run_type", "kept"), [("backfill", 2), ("scheduled", 1), ("manual", 1)])
def test_old_checks_are_dropped_by_runs_that_are_of_no_backfill(
    begin: Begin, status: Engine, run_type: str, kept: int
) -> None:
    with status.begin() as connection:
        for month in (LONG_AGO, datetime.now(UTC)):
            connection.execute(text("select lapsewatch.create_domain_check_partition(:at)"), {"at": month})
    begin(run_type)
    assert tasks.plan_batches.function() == []
    assert len(rows(status, "select * from lapsewatch.domain_check_partition")) == kept


@pytest.mark.parametrize(("run_type", "rate"), [("backfill", 2.5), ("scheduled", None)])
def test_who_asks_tells_the_budget_which_run_it_asks_for_and_its_rate(
    begin: Begin, add_addresses: Begin, status: Engine, monkeypatch: pytest.MonkeyPatch, run_type: str, rate: float
) -> None:
    add_addresses("someone@alive.com")
    told: list[dict[str, Any]] = []

    class Told(connections.SharedCallBudget):
        def __init__(self, *arguments: Any, **terms: Any) -> None:
            told.append(terms)
            super().__init__(*arguments, **terms)

    monkeypatch.setattr(connections, "SharedCallBudget", Told)
    begin(run_type, scope="all", requests_per_second=rate)
    tasks.extract_domains.function()
    tasks.plan_batches.function()
    tasks.check_batch.function(0)
    assert told == [{"run_id": f"{run_type}__one", "is_backfill": run_type == "backfill", "run_rate": rate}]
