"""Chooses what is to be asked about and writes it down: one planned `domain_check` row a domain, cut into batches."""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row

from lapsewatch.core.batches import DOMAINS_PER_BATCH, MAX_BATCHES
from lapsewatch.core.cadence import COHORTS, RECORD_STANDS, Cadence, api_interval, cohort_of_day
from lapsewatch.core.policy import Policy
from lapsewatch.stages.run import Run
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)

REGISTRY_PATIENCE = timedelta(days=3)
"""How long a domain on which something moves waits for its registry, be it paused or the run's questions spent; then
the status API is asked. The others wait until a round of all cohorts has passed since their last check."""


def plan_batches(run: Run, status: Engine) -> tuple[list[int], int]:
    """Return the numbers of the run's batches, none where nothing is due, and how many domains they hold.

    A run that is planned keeps its plan, unless it was cleared since and is told to ask again (`Run.recheck`): then it
    is planned anew, and the earlier plan with its answers is history. With the scope `due`, and without `recheck`, a
    domain that another run has taken is left to that run until it is published, or the run has ended, or for a day.

    Batches hold what the status API is asked about. What is due by its registry, which only a daily run goes by, is in
    none: with nothing else due, there are no batches.
    """
    planned_at = run.clock()
    key = {"run_id": run.run_id}
    listed = run.listed_domains()
    with status.begin() as connection:
        # On its own and first: a transaction that had read the table already could not wait for another's partition.
        connection.execute(statement("create_check_partition"), {"planned_at": planned_at})
    with status.begin() as connection:
        connection.execute(statement("lock_run"), key)
        plan = connection.execute(statement("select_run_plan"), key).one_or_none()
        if plan is None or (run.recheck and plan.clear_number < run.clear_number):
            plan = _insert_plan(connection, run, listed, planned_at)
        else:
            log.info("The run was planned before and keeps its plan")
            _warn_of_other_answers(connection, run, plan.planned_at)
    log.info("Planned: %s domains in %s batches", plan.domain_count, plan.batch_count)
    return list(range(plan.batch_count)), plan.domain_count


def _insert_plan(connection: Connection, run: Run, listed: list[str], planned_at: datetime) -> Row[Any]:
    values = {
        "run_id": run.run_id,
        "planned_at": planned_at,
        "clear_number": run.clear_number,
        "recheck": run.recheck,
        "as_of": run.as_of,
        "scope": run.scope,
        "domains": listed,
        "is_backfill": run.is_backfill,
        "cohort": cohort_of_day(run.day),
        "provider": run.client,
        "max_batches": MAX_BATCHES,
        "domains_per_batch": DOMAINS_PER_BATCH,
        "asks_registries": _asks_registries(run),
        # Counted in whole days, so that a run by hand at noon asks whom the daily run would ask.
        "registry_waits_since": run.midnight - REGISTRY_PATIENCE,
        "registry_checked_since": run.midnight - timedelta(days=COHORTS),
        "api_interval": _api_interval(connection, run, planned_at),
    }
    # Always after the run's own lock.
    connection.execute(statement("lock_plans"))
    plan = connection.execute(statement("insert_plan"), values).one()
    # What came of an earlier plan is not this one's to answer for.
    connection.execute(statement("forget_stages"), {"run_id": run.run_id})
    # In a backfill the list is shared by the runs of all cohorts.
    if not run.is_backfill and (unused := len(listed) - plan.domain_count if listed else 0):
        log.warning("%s of the %s listed domains are behind no verified address", unused, len(listed))
    return plan


def _asks_registries(run: Run) -> bool:
    """Tell whether the run goes by what is due by its registry: all others are to have the status API's answer."""
    is_daily = run.scope == "due" and not run.recheck and not run.is_backfill
    return is_daily and run.policy is Policy.CORROBORATED and run.cadence is Cadence.ADAPTIVE


def _api_interval(connection: Connection, run: Run, planned_at: datetime) -> int:
    """Return what the budget of calls allows now; a plan keeps it, so that all stages and attempts use the same."""
    values = {"heard_since": planned_at - RECORD_STANDS}
    counted = connection.execute(statement("count_unheard_domains"), values).one()
    return api_interval(counted.domain_count, counted.unheard_count, run.calls_per_domain_year)


def _warn_of_other_answers(connection: Connection, run: Run, planned_at: datetime) -> None:
    values = {"run_id": run.run_id, "planned_at": planned_at, "provider": run.client, "policy": run.policy.value}
    if count := connection.execute(statement("count_other_answers"), values).scalar_one():
        log.warning(
            "%s answers are of another API or policy than %s and %s, and stay: with recheck they are asked for anew",
            *(count, run.client, run.policy.value),
        )
