"""Checks the domains behind verified e-mail addresses every day, and unverifies addresses whose domain has lapsed.

`docs/architecture.md` tells the walk; the Params' descriptions are the manual of a run.
"""

from datetime import UTC, datetime

from airflow.sdk import dag
from lapsewatch.params import run_params
from lapsewatch.tasks import (
    DEFAULT_ARGS,
    check_batch,
    conclude_run,
    corroborate_checks,
    extract_domains,
    plan_batches,
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
    params=run_params(),
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["lapsewatch"],
)
def check_domain_status() -> None:
    batches = plan_batches()
    unverified = unverify_emails()
    concluded = conclude_run()
    (
        extract_domains()
        >> batches
        >> check_batch.expand(batch=batches)
        >> corroborate_checks()
        >> validate_checks()
        >> store_domain_status()
        >> unverified
        >> summarise_run()
        >> concluded
    )
    # The summary is written whatever happened; the run is a success only if the stages before it were.
    unverified >> concluded


check_domain_status()
