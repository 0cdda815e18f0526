"""Drops the checks of months that are not kept any more, without standing in anybody's way."""

import logging
from datetime import UTC, datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)


def drop_old_checks(run: Run, keep_months: int, status: Engine) -> Counts:
    """Drop the months (UTC) of `domain_check` before the last `keep_months`, of which the present one is the last.

    With them go the plans of their runs. Nothing else refers to them: lapses and unverifications have copies of their
    evidence. A month that somebody is reading is left to the next run, and so is everything where another run is at it.
    """
    first_month = _months_before(run.clock(), keep_months - 1)
    dropped = 0
    with status.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # its lock and its patience end with it
        if not connection.scalar(statement("try_lock_retention")):
            log.info("Another run is dropping old checks")
            return {"dropped_month_count": 0}
        connection.execute(statement("limit_lock_waits"))
        for old in connection.execute(statement("select_old_partitions"), {"first_month": first_month}).all():
            try:
                if old.detach_statement is not None:
                    connection.execute(text(old.detach_statement))
                connection.execute(text(old.drop_statement))
            except OperationalError as error:
                log.warning("%s is left to the next run: %s", old.partition_name, type(error.orig).__name__)
                break
            dropped += 1
        connection.execute(statement("delete_old_plans"), {"first_month": first_month})
    if dropped:
        log.info("Dropped: %s months of checks before %s", dropped, first_month.date())
    return {"dropped_month_count": dropped}


def _months_before(now: datetime, months: int) -> datetime:
    """Return the first instant (UTC) of the month that lies so many months before the present one."""
    now = now.astimezone(UTC)
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)
