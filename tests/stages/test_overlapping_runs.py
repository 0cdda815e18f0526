"""Runs that are at work at the same time take different domains, and none is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from lapsewatch.core.cadence import cohort_of, cohort_of_day
from lapsewatch.core.errors import RunStopped
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.status_database.journal import stage
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, event, text

from tests.stages.conftest import answer_batch, rows

NOW = datetime.now(UTC)
DAILY = Run(run_id="daily", as_of=NOW)
BACKFILL = replace(DAILY, run_id="backfill", is_backfill=True)


@pytest.fixture
def cohort(users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> list[str]:
    """Today's cohort, of which nothing is known yet: due, and in a backfill's run of today."""
    names = (f"domain{number}.com" for number in range(300))
    found = [name for name in names if cohort_of(name) == cohort_of_day(NOW.date())][:4]
    add_addresses(*(f"user@{domain}" for domain in found))
    extract_domains(DAILY, users, status)
    return sorted(found)


def taken(run: Run, status: Engine, after: timedelta = timedelta()) -> list[str]:
    """Plan the run some time from now; return its domains."""
    later = datetime.now(UTC) + after
    plan_batches(replace(run, clock=lambda: later), status)
    query = """
        select domain
        from lapsewatch.domain_check
        join lapsewatch.run_plan using (run_id, planned_at)
        where run_id = :run_id
        order by domain
    """
    return [row["domain"] for row in rows(status, query, run_id=run.run_id)]


@pytest.mark.parametrize(("first", "second"), [(DAILY, BACKFILL), (BACKFILL, DAILY)])
def test_what_one_run_has_taken_the_other_leaves_to_it(
    cohort: list[str], status: Engine, first: Run, second: Run
) -> None:
    assert taken(first, status) == cohort
    assert taken(second, status) == []
    # Nor is it free when it is answered, as long as that is not published.
    answer_batch(first, 0, {}, status)
    assert taken(replace(second, run_id="third"), status) == []


def test_what_is_published_without_evidence_is_free_again(cohort: list[str], status: Engine) -> None:
    silent, *_ = cohort
    taken(DAILY, status)
    answer_batch(DAILY, 0, {silent: NoEvidenceReason.TIMEOUT}, status)
    store_domain_status(DAILY, status)
    assert taken(BACKFILL, status) == [silent]


def test_a_run_that_has_ended_holds_nobody_back(cohort: list[str], status: Engine) -> None:
    with stage(status, DAILY.run_id, "plan_batches"):
        taken(DAILY, status)
    with pytest.raises(RunStopped), stage(status, DAILY.run_id, "check_batch", 0):
        raise RunStopped("the API is silent")
    assert taken(BACKFILL, status) == []
    with stage(status, DAILY.run_id, "summarise_run"):
        summarise_run(DAILY, status)
    assert taken(replace(BACKFILL, run_id="second"), status) == cohort


def test_the_end_of_an_earlier_attempt_is_not_the_end_of_this_one(cohort: list[str], status: Engine) -> None:
    with stage(status, DAILY.run_id, "summarise_run"):
        summarise_run(DAILY, status)
    taken(DAILY, status)
    assert taken(BACKFILL, status) == []


@pytest.mark.parametrize(("hours", "is_free"), [(23.9, False), (24.1, True)])
def test_a_run_that_never_ends_holds_its_domains_back_for_a_day(
    cohort: list[str], status: Engine, hours: float, is_free: bool
) -> None:
    taken(BACKFILL, status)
    assert taken(DAILY, status, timedelta(hours=hours)) == (cohort if is_free else [])


def test_an_earlier_plan_of_a_run_holds_nobody_back(cohort: list[str], status: Engine) -> None:
    one, *others = cohort
    taken(DAILY, status)
    with status.begin() as connection:
        query = "update lapsewatch.domain_status set address_count = :count where domain = :domain"
        connection.execute(text(query), {"count": 0, "domain": one})
    assert taken(replace(DAILY, recheck=True, clear_number=1), status) == others
    with status.begin() as connection:
        connection.execute(text(query), {"count": 1, "domain": one})
    assert taken(BACKFILL, status) == [one]


@pytest.mark.parametrize("changes", [{"recheck": True}, {"scope": "all"}])
def test_who_is_told_to_asks_them_all_the_same(cohort: list[str], status: Engine, changes: dict[str, object]) -> None:
    taken(DAILY, status)
    assert taken(replace(BACKFILL, **changes), status) == cohort


def test_planned_at_the_same_moment_each_domain_is_taken_once(cohort: list[str], status: Engine) -> None:
    runs = [replace(run, run_id=f"{run.run_id} {number}") for number in range(2) for run in (DAILY, BACKFILL)]
    all_here = Barrier(len(runs))

    def meet(_connection: object, _cursor: object, query: str, *_: object) -> None:
        # Each has its run's lock and has seen that it has no plan.
        if query.startswith("select clear_number"):
            all_here.wait(10)

    event.listen(status, "after_cursor_execute", meet)
    with ThreadPoolExecutor(len(runs)) as planners:
        list(planners.map(lambda run: plan_batches(run, status), runs))
    found = rows(status, "select domain from lapsewatch.domain_check order by domain")
    assert [row["domain"] for row in found] == cohort
