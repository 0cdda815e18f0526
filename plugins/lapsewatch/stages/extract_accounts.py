"""Reads which accounts hang on a single address on a custom domain: whoever gets the domain gets the account."""

import logging

from sqlalchemy import Engine

from lapsewatch.core.providers import WELL_KNOWN_PROVIDERS
from lapsewatch.stages.extractions import record_extraction, shared_extraction
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import copy_rows, statement
from lapsewatch.user_databases.database import UserDatabase

log = logging.getLogger(__name__)


def extract_accounts(run: Run, users: UserDatabase, status: Engine) -> Counts:
    """Replace what is known of accounts at risk, in one transaction.

    It follows `extract_domains`, whose hosts it goes by, does the same in a dry run, and is shared like it.
    """
    with status.begin() as connection:
        if shared := shared_extraction(connection, run, "accounts"):
            return shared
        connection.execute(statement("create_extracted_account"))
        accounts = users.sole_addresses(skipped_hosts=WELL_KNOWN_PROVIDERS)
        copy_rows(connection, "copy_extracted_account", accounts)
        connection.execute(statement("allow_sorting_in_memory"))
        # They are new to the planner, which would take them for a few.
        connection.execute(statement("analyze_extracted_account"))
        now = run.clock()
        connection.execute(statement("update_accounts_at_risk"), {"now": now})
        connection.execute(statement("insert_accounts_at_risk"), {"now": now})
        connection.execute(statement("delete_accounts_out_of_risk"))
        counts: Counts = {"account_at_risk_count": connection.scalar(statement("count_accounts_at_risk"))}
        record_extraction(connection, run, "accounts", counts)
    log.info("Extracted: %s", counts)
    return counts
