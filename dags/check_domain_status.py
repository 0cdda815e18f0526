"""Checks the domains behind verified e-mail addresses every day, and unverifies addresses whose domain has lapsed.

`docs/architecture.md` tells the walk; the Params' descriptions are the manual of a run.
"""

from datetime import UTC, datetime

from airflow.sdk import dag
from lapsewatch.deadline import daily_run_deadline
from lapsewatch.params import run_params
from lapsewatch.tasks import (
    DEFAULT_ARGS,
    approve_unverifications,
    check_batch,
    conclude_run,
    corroborate_checks,
    extract_accounts,
    extract_domains,
    notify_owners,
    plan_batches,
    plan_unverifications,
    store_domain_status,
    summarise_run,
    unverify_emails,
    validate_checks,
)


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    deadline=daily_run_deadline(),
    params=run_params(),
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["lapsewatch"],
)
def check_domain_status() -> None:
    batches = plan_batches()
    planned = plan_unverifications()
    unverified = unverify_emails()
    accounts = extract_accounts()
    notified = notify_owners()
    concluded = conclude_run()
    (
        extract_domains()
        >> batches
        >> check_batch.expand(batch=batches)
        >> corroborate_checks()
        >> validate_checks()
        >> store_domain_status()
        >> planned
        >> approve_unverifications()
        >> unverified
        >> accounts
        >> notified
        >> summarise_run()
        >> concluded
    )
    # Within the run's limits nobody has to approve.
    planned >> unverified
    # Who was unverified is told so, whatever else can be read.
    unverified >> notified
    # The summary is written whatever happened; the run is a success only if the stages before it were.
    [accounts, notified] >> concluded


check_domain_status()
