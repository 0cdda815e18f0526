"""Drops the checks of months that are not kept any more, without standing in anybody's way."""

import logging

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def drop_old_checks(run: Run, keep_months: int, status: Engine) -> Counts:
    """Drop the months (UTC) of `domain_check` before the last `keep_months`, of which the present one is the last.

    What the present month is, the earlier one of the run's clock and the database's says. With the months go the plans
    of their runs. Nothing else refers to them: lapses and unverifications have copies of their evidence. A month that
    somebody is reading is left to the next run, and so is everything where another run is at it.
    """
    dropped = 0
    with status.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # its lock and its patience end with it
        if not connection.scalar(statement("try_lock_retention")):
            log.info("Another run is dropping old checks")
            return {"dropped_month_count": 0}
        connection.execute(statement("limit_lock_waits"))
        present = {"now": run.clock(), "keep_months": keep_months}
        first_month = {"first_month": connection.execute(statement("select_first_kept_month"), present).scalar_one()}
        for old in connection.execute(statement("select_old_partitions"), first_month).all():
            try:
                if old.detach_statement is not None:
                    connection.execute(text(old.detach_statement))
                connection.execute(text(old.drop_statement))
            except OperationalError as error:
                log.warning("%s is left to the next run: %s", old.partition_name, type(error.orig).__name__)
                break
            dropped += 1
        connection.execute(statement("delete_old_plans"), first_month)
    if dropped:
        log.info("Dropped: %s months of checks before %s", dropped, first_month["first_month"])
    return {"dropped_month_count": dropped}
