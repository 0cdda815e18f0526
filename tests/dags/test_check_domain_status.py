import re
import tomllib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.exceptions import ParamValidationError
from airflow.models.taskinstance import TaskInstance
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, RetryAction
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.sdk.exceptions import AirflowRescheduleException
from airflow.serialization.serialized_objects import DagSerialization
from lapsewatch import tasks
from lapsewatch.core.errors import BudgetSpent, RunStopped, SetupError, Unavailable
from lapsewatch.stages.run import STAGES
from sqlalchemy import Engine

from local.checkout import DAGS, PLUGINS, ROOT
from tests.stages.conftest import rows

WALK = [*STAGES, "conclude_run"]
WALK.insert(WALK.index("unverify_emails"), "approve_unverifications")


@pytest.fixture
def dag(dag_bag: DagBag) -> DAG:
    return dag_bag.dags["check_domain_status"]


def test_the_bag_holds_exactly_our_dags_and_no_errors(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == {"check_domain_status", "example_daily_figures"}


def test_the_tasks_stand_in_the_order_of_the_walk(dag: DAG) -> None:
    assert [task.task_id for task in dag.topological_sort()] == WALK
    for before, after in pairwise(WALK):
        assert after in dag.get_task(before).downstream_task_ids


def test_batches_are_mapped_in_a_pool(dag: DAG) -> None:
    check_batch = dag.get_task("check_batch")
    assert check_batch.is_mapped
    assert check_batch.pool == "status_api"


def test_a_backfills_tasks_come_after_those_of_other_runs(dag: DAG) -> None:
    # As the scheduler has them: what it reads from the database.
    for task in DagSerialization.from_dict(DagSerialization.to_dict(dag)).tasks:
        weights = [
            task.weight_rule.get_weight(TaskInstance(task=task, run_id=run_id, dag_version_id=uuid4()))
            for run_id in ("backfill__2026-10-01", "scheduled__2026-11-22", "manual__2026-11-22")
        ]
        assert weights[0] < min(weights[1:]), task.task_id


def test_the_daily_run_never_overlaps_itself_or_catches_up(dag: DAG) -> None:
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert dag.timetable.expression == "0 0 * * *"


def test_what_a_person_must_mend_is_not_tried_again(dag: DAG) -> None:
    for task_id in ("extract_domains", "check_batch", "unverify_emails"):
        policy: Any = dag.get_task(task_id).retry_policy
        decided = {error: policy.evaluate(error("why"), 1, 3).action for error in (SetupError, RunStopped, Unavailable)}
        assert decided == {
            SetupError: RetryAction.FAIL,
            RunStopped: RetryAction.FAIL,
            Unavailable: RetryAction.DEFAULT,
        }
    assert dag.get_task("check_batch").retries == 2


def test_a_stage_runs_after_success_a_run_without_batches_goes_on_and_the_summary_is_written_always(dag: DAG) -> None:
    rules = {task.task_id: task.trigger_rule.value for task in dag.tasks}
    for task_id in ("corroborate_checks", "unverify_emails", "extract_accounts"):
        assert rules.pop(task_id) == "none_failed"
    assert rules.pop("summarise_run") == "all_done"
    assert rules.pop("notify_owners") == "all_done_min_one_success"
    assert dag.get_task("notify_owners").upstream_task_ids == {"unverify_emails", "extract_accounts"}
    assert set(rules.values()) == {"all_success"}
    assert dag.get_task("conclude_run").upstream_task_ids == {"extract_accounts", "notify_owners", "summarise_run"}


def test_a_person_is_asked_only_where_the_run_must_ask_and_silence_is_a_rejection(dag: DAG) -> None:
    approve: Any = dag.get_task("approve_unverifications")
    assert isinstance(approve, ApprovalOperator)
    assert dag.get_task("plan_unverifications").downstream_task_ids == {"approve_unverifications", "unverify_emails"}
    assert (approve.defaults, approve.response_timeout) == (["Reject"], timedelta(hours=20))
    assert approve.execution_timeout is None
    assert approve.params["unverify"] == "only what is not suspicious"


def test_a_fresh_installation_is_a_dry_run(dag: DAG) -> None:
    assert dag.params["dry_run"] is True


def test_every_param_is_typed_and_described(dag: DAG) -> None:
    for name in dag.params:
        param: Any = dag.params.get_param(name)
        assert param.description, name
        assert param.schema.get("type") or param.schema.get("enum"), name


@pytest.mark.parametrize(
    "configuration",
    [{"scope": "some"}, {"dry_run": "perhaps"}, {"requests_per_second": 0}, {"recheck": "yes"}, {"max_growth": None}],
)
def test_airflow_refuses_a_bad_value_when_a_run_or_a_backfill_is_made(dag: DAG, configuration: dict[str, Any]) -> None:
    """With the Params as they are stored, which is what its API, its command line and its backfill validate."""
    stored = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    [name] = configuration
    with pytest.raises(ParamValidationError, match=f"Invalid input for param {name}"):
        stored.params.deep_merge(configuration).validate()
    stored.params.deep_merge({"scope": "all", "recheck": True, "requests_per_second": 2.5}).validate()


def test_summarise_tells_the_readers_of_domain_status(dag: DAG) -> None:
    assert [asset.name for asset in dag.get_task("summarise_run").outlets] == ["domain_status"]


def test_a_dag_file_is_a_sentence() -> None:
    for file in DAGS.glob("*.py"):
        assert len(file.read_text().splitlines()) < 100, file.name


def test_every_statement_that_is_named_exists_and_every_file_is_used() -> None:
    sources = "".join(file.read_text() for file in PLUGINS.rglob("*.py"))
    named = set(re.findall(r"""\b(?:statement|_execute)\(\s*["'](\w+)["']""", sources))
    profiles = ROOT / "include/sql/user_databases"
    ours = {file.stem for file in (ROOT / "include/sql/status_database").glob("*.sql")}
    standards = {folder.name: {file.stem for file in folder.glob("*.sql")} for folder in profiles.glob("standard/*/")}
    assert standards
    for standard in standards.values():
        # Run by the owner of the user database, not by Lapsewatch.
        standard -= {"grants_roles", "grants_before", "grants_after"}
        assert named <= ours | standard
        assert {name for name in ours | standard if f'"{name}"' not in sources} == set()
        assert not ours & standard
    for declaration in profiles.glob("*/profile.toml"):
        standard = standards[tomllib.loads(declaration.read_text())["dialect"]]
        assert {file.stem for file in declaration.parent.glob("*.sql")} <= standard | {"grants"}


@pytest.mark.parametrize(("run_type", "is_backfill"), [("backfill", True), ("scheduled", False), ("manual", False)])
def test_a_backfill_is_known_by_its_type(
    dag: DAG, monkeypatch: pytest.MonkeyPatch, run_type: str, is_backfill: bool
) -> None:
    dag_run = SimpleNamespace(
        run_type=DagRunType(run_type), logical_date=None, run_after=datetime.now(UTC), clear_number=2
    )
    context = {"run_id": "one", "dag_run": dag_run, "params": dag.params.dump()}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)
    assert (tasks._run().is_backfill, tasks._run().clear_number) == (is_backfill, 2)


def test_a_backfill_whose_calls_are_used_up_goes_on_later_and_the_journal_says_when(
    dag: DAG, monkeypatch: pytest.MonkeyPatch, status_url: str, status: Engine
) -> None:
    resumes_at = datetime.now(UTC) + timedelta(hours=3)

    def spend(*_: object) -> None:
        raise BudgetSpent(resumes_at)

    dag_run = SimpleNamespace(
        run_type=DagRunType("backfill"), logical_date=None, run_after=datetime.now(UTC), clear_number=0
    )
    context = {"run_id": "one", "dag_run": dag_run, "params": dag.params.dump()}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)
    monkeypatch.setattr(tasks.check, "check_batch", spend)
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", status_url)
    monkeypatch.setenv("AIRFLOW_CONN_FASTLY_API", '{"conn_type": "http", "password": "key"}')
    with pytest.raises(AirflowRescheduleException) as raised:
        tasks.check_batch.function(batch=3)
    assert raised.value.reschedule_date == resumes_at
    assert context["label"] == "batch 3"
    assert rows(status, "select stage, batch, state, error from lapsewatch.run_stage") == [
        {
            "stage": "check_batch",
            "batch": 3,
            "state": "failed",
            "error": f"the call budget is spent, it goes on at {resumes_at:%Y-%m-%d %H:%M} UTC",
        }
    ]
