"""An example to begin with: after each run of `check_domain_status`, tell the figures of the day to somebody else.

It reads the status database and changes nothing. It is paused until somebody wants it.
"""

import logging

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from lapsewatch.tasks import DOMAIN_STATUS

log = logging.getLogger(__name__)

PHASES = "select phase, domain_count, domain_change from lapsewatch.status_by_phase order by domain_count desc"
SOON = (
    "select count(*), coalesce(sum(single_address_account_count), 0) from lapsewatch.expiring_soon where days_left < 14"
)


@dag(schedule=[DOMAIN_STATUS], is_paused_upon_creation=True, catchup=False, doc_md=__doc__)
def example_daily_figures() -> None:
    @task
    def tell_figures() -> dict[str, int]:
        status = PostgresHook("status_db", options="-c default_transaction_read_only=on")
        for phase, domain_count, change in status.get_records(PHASES):
            log.info("%s domains are %s (%+d since the day before)", domain_count, phase, change or 0)
        domain_count, account_count = status.get_first(SOON)
        log.info("%s can be renewed for less than two weeks; %s accounts hang on them", domain_count, account_count)
        return {"expiring_domain_count": domain_count, "account_count": int(account_count)}

    tell_figures()


example_daily_figures()
