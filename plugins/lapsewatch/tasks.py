"""The tasks of the walk. Each opens what its stage needs, calls it, and hands on no more than ids and counts."""

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    TriggerRule,
    get_current_context,
    task,
)

from lapsewatch import connections
from lapsewatch.core.errors import RunStopped, SetupError
from lapsewatch.params import listed_domains
from lapsewatch.stages import check_batch as check
from lapsewatch.stages import conclude_run as conclude
from lapsewatch.stages import extract_domains as extract
from lapsewatch.stages import plan_batches as plan
from lapsewatch.stages import store_domain_status as store
from lapsewatch.stages import summarise_run as summarise
from lapsewatch.stages import unverify_emails as unverify
from lapsewatch.stages.run import Run

DOMAIN_STATUS = Asset(name="domain_status", uri="lapsewatch://status_db/domain_status")

POOL = "status_api"
"""Its slots are how many status-check tasks may run at once."""

DEFAULT_ARGS = {
    "owner": "lapsewatch",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
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
    with connections.status_database() as status, connections.user_database() as users:
        extract.extract_domains(_run(), users, status)


@task
def plan_batches() -> list[int]:
    """Choose what is due and cut it into batches."""
    with connections.status_database() as status:
        return plan.plan_batches(_run(), status)


@task(pool=POOL, map_index_template="{{ label }}")
def check_batch(batch: int) -> None:
    """Ask the status API about one batch's domains."""
    get_current_context()["label"] = f"batch {batch}"  # type: ignore[typeddict-unknown-key]
    run = _run()
    with connections.status_database() as status, connections.status_api(run.client) as api:
        check.check_batch(run, batch, api.client, api.pace, status)


@task(trigger_rule=TriggerRule.NONE_FAILED)
def validate_checks() -> None:
    """Audit the run's rows, and the run, before anything is published."""
    # Great Expectations takes seconds to import: only this task pays for it.
    from lapsewatch.stages.validate_checks import validate_checks as validate

    with connections.status_database() as status:
        validate(_run(), status)


@task
def store_domain_status() -> None:
    """Publish: merge the run's checks into `domain_status`."""
    with connections.status_database() as status:
        store.store_domain_status(_run(), status)


@task
def unverify_emails() -> None:
    """Unverify addresses on lapsed domains, or say which in a dry run."""
    with connections.status_database() as status, connections.user_database() as users:
        unverify.unverify_emails(_run(), users, status)


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[DOMAIN_STATUS])
def summarise_run(*, outlet_events: Any) -> dict[str, object]:
    """Write the run's metrics and tell the asset's readers, whatever became of the run."""
    run = _run()
    with connections.status_database() as status:
        summary = summarise.summarise_run(run, status)
    outlet_events[DOMAIN_STATUS].extra = {"run_id": run.run_id, **summary}
    return summary


@task(retries=0)
def conclude_run() -> None:
    """Fail the run if any of its stages did not finish."""
    with connections.status_database() as status:
        conclude.conclude_run(_run(), status)


def _run() -> Run:
    context = get_current_context()
    params = context["params"]
    dag_run = context["dag_run"]
    return Run(
        run_id=context["run_id"],
        as_of=dag_run.logical_date or dag_run.run_after,
        scope=params["scope"],
        domains=listed_domains(params),
        client=params["client"],
        dry_run=params["dry_run"],
        max_unverifications=params["max_unverifications"],
    )
