"""The tasks of the walk. Each opens what its stage needs, calls it, and hands on no more than ids and counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    Asset,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    TriggerRule,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowRescheduleException
from sqlalchemy import Engine

from lapsewatch import connections, telemetry
from lapsewatch.approval import ApproveUnverifications, approval_params
from lapsewatch.core.cadence import Cadence
from lapsewatch.core.errors import BudgetSpent, RunStopped, SetupError
from lapsewatch.core.policy import Policy
from lapsewatch.params import approval_timeout, keep_checks_months, read_limits, refuse_unknown
from lapsewatch.priority import DailyRunFirst
from lapsewatch.stages import check_batch as check
from lapsewatch.stages import corroborate_checks as corroborate
from lapsewatch.stages import drop_old_checks as drop
from lapsewatch.stages import extract_accounts as accounts
from lapsewatch.stages import extract_domains as extract
from lapsewatch.stages import notify_owners as notify
from lapsewatch.stages import plan_batches as plan
from lapsewatch.stages import plan_unverifications as plan_to_unverify
from lapsewatch.stages import store_domain_status as store
from lapsewatch.stages import summarise_run as summarise
from lapsewatch.stages import unverify_emails as unverify
from lapsewatch.stages.run import Run, utc_now
from lapsewatch.status_database.journal import Counts, stage

DOMAIN_STATUS = Asset(name="domain_status", uri="lapsewatch://status_db/domain_status")

POOL = "status_api"
"""Its slots are how many status-check tasks may run at once."""

DEFAULT_ARGS = {
    "owner": "lapsewatch",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "execution_timeout": timedelta(hours=6),
    # By its name: of a mapped task Airflow keeps no other.
    "weight_rule": f"{DailyRunFirst.__module__}.{DailyRunFirst.__qualname__}",
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=SetupError, action=RetryAction.FAIL, reason="its owner must act first"),
            RetryRule(exception=RunStopped, action=RetryAction.FAIL, reason="a person must look first"),
        ]
    ),
}
"""A stage does what is left when it is tried again, so trying again is safe; where only a person can help, it fails."""


@task
def extract_domains() -> None:
    """Read hosts and counts from the user database; add the registrable domains that are new."""
    with _attempt("extract_domains") as (run, status, counts):
        # What makes no sense in the Params ends the run here, at its first task.
        refuse_unknown(get_current_context()["dag_run"].conf)
        run.listed_domains()
        with connections.user_database() as users:
            if not run.dry_run:
                users.require_unverifying()
            counts |= extract.extract_domains(run, users, status)


@task
def plan_batches() -> list[int]:
    """Choose what to ask about, cut it into batches, and return their numbers; drop the checks that are too old."""
    with _attempt("plan_batches") as (run, status, counts):
        keep_months = keep_checks_months()
        batches, planned = plan.plan_batches(run, status)
        counts |= {"batch_count": len(batches), "planned_count": planned}
        if not run.is_backfill:
            counts |= drop.drop_old_checks(run, keep_months, status)
    return batches


@task(pool=POOL, map_index_template="{{ label }}")
def check_batch(batch: int) -> None:
    """Ask the status API about one batch's domains; where a backfill's calls are used up, go on when there are more."""
    get_current_context()["label"] = f"batch {batch}"  # type: ignore[typeddict-unknown-key]
    try:
        with _attempt("check_batch", batch) as (run, status, counts):
            calling = connections.Calling(status, run.run_id, run.is_backfill, run.requests_per_second)
            with connections.status_api(run.client, calling) as api:
                counts |= check.check_batch(run, batch, api.client, api.budget, status)
    except BudgetSpent as spent:
        raise AirflowRescheduleException(spent.resumes_at) from None  # type: ignore[no-untyped-call]


@task(trigger_rule=TriggerRule.NONE_FAILED)
def corroborate_checks() -> None:
    """Ask registries and DNS about doubtful domains, and about those due by their registry; decide on what is known."""
    with _attempt("corroborate_checks") as (run, status, counts), connections.witnesses(status) as witnesses:
        counts |= corroborate.corroborate_checks(run, witnesses, status)


@task
def validate_checks() -> None:
    """Audit the run's rows, and the run, before anything is published."""
    with _attempt("validate_checks") as (run, status, counts):
        # Great Expectations takes seconds to import: only this task pays for it.
        from lapsewatch.stages import validate_checks as validate

        counts |= validate.validate_checks(run, status)


@task
def store_domain_status() -> None:
    """Publish: merge the run's checks into `domain_status`."""
    with _attempt("store_domain_status") as (run, status, counts):
        counts |= store.store_domain_status(run, status)


@task.branch
def plan_unverifications() -> str:
    """Plan whose verification goes; choose whether a person must approve first."""
    with _attempt("plan_unverifications") as (run, status, counts), connections.unverifying_user_database() as users:
        counts |= plan_to_unverify.plan_unverifications(run, users, status)
    return "approve_unverifications" if counts["question_count"] else "unverify_emails"


def approve_unverifications() -> ApproveUnverifications:
    """Ask a person, with silence as a rejection; skipped where the run is within its limits."""
    return ApproveUnverifications(
        task_id="approve_unverifications",
        subject="Unverify the addresses?",
        defaults=ApproveUnverifications.REJECT,
        params=approval_params(),
        response_timeout=approval_timeout(),
        # It parks, it does not work.
        execution_timeout=None,
        do_xcom_push=False,
    )


@task(trigger_rule=TriggerRule.NONE_FAILED)
def unverify_emails() -> None:
    """Unverify the addresses that were planned; skipped where a person has rejected it."""
    with _attempt("unverify_emails") as (run, status, counts), connections.unverifying_user_database() as users:
        counts |= unverify.unverify_emails(run, users, status)


@task(trigger_rule=TriggerRule.NONE_FAILED)
def extract_accounts() -> None:
    """Read which accounts hang on a single custom domain."""
    with _attempt("extract_accounts") as (run, status, counts), connections.user_database() as users:
        counts |= accounts.extract_accounts(run, users, status)


@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
def notify_owners() -> None:
    """Write down what people are to be told, and deliver it where a webhook is set up; accounts or not."""
    with (
        _attempt("notify_owners") as (run, status, counts),
        connections.unverifying_user_database() as users,
        connections.notification_webhook() as webhook,
    ):
        counts |= notify.notify_owners(run, users, status, webhook)


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[DOMAIN_STATUS])
def summarise_run(*, outlet_events: Any) -> dict[str, object]:
    """Write the run's metrics and tell the asset's readers, whatever became of the run."""
    with _attempt("summarise_run") as (run, status, _):
        before = telemetry.read_figures(run, status)
        summary = summarise.summarise_run(run, status)
        figures = telemetry.read_figures(run, status)
    outlet_events[DOMAIN_STATUS].extra = {"run_id": run.run_id, **summary}
    telemetry.publish_figures(run, get_current_context()["dag_run"].run_type.value, before, figures)
    return summary


def conclude_run() -> EmptyOperator:
    """End the run: reached only where every stage has succeeded, so that Airflow calls any other run failed."""
    return EmptyOperator(task_id="conclude_run")


@contextmanager
def _attempt(stage_name: str, batch: int = -1) -> Iterator[tuple[Run, Engine, Counts]]:
    """Journal one attempt at a stage, from before anything of it can go wrong but the status database itself."""
    run = _run()
    with connections.status_database() as status, stage(status, run.run_id, stage_name, batch) as counts:
        yield run, status, counts


def _run() -> Run:
    context = get_current_context()
    params = context["params"]
    dag_run = context["dag_run"]
    limits, tld_limits = read_limits(params)
    return Run(
        run_id=context["run_id"],
        # A date in the future would put the next checks out of sight.
        as_of=min(dag_run.logical_date or dag_run.run_after, utc_now()),
        scope=params["scope"],
        domains=tuple(params["domains"] or ()),
        client=params["client"],
        policy=Policy(params["policy"]),
        dry_run=params["dry_run"],
        max_rdap_calls=params["max_rdap_calls"],
        cadence=Cadence(params["cadence"]),
        calls_per_domain_year=params["calls_per_domain_year"],
        max_advice=params["max_advice"],
        limits=limits,
        tld_limits=tld_limits,
        approval_timeout=approval_timeout(),
        is_backfill=dag_run.run_type == "backfill",
        recheck=params["recheck"],
        clear_number=dag_run.clear_number or 0,
        requests_per_second=params["requests_per_second"],
        clock=utc_now,
    )
