"""Runs that plan, persons that answer and undo, and a run at work: who waits for whom, and whose intents are whose."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from lapsewatch.core.policy import Policy
from lapsewatch.stages.approve_unverifications import Answer, record_answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection, undo_unverifications
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import Check, Killed, plan_and_unverify, rows
from tests.stages.plan_unverifications.conftest import STRICT, ask, states, unverified

GONE = "undelegated inactive"
LAPSED = {f"lapsed{number}.com" for number in range(3)}
DEADLINE = 60
"""Seconds after which a test gives up."""


@pytest.fixture
def run(add_addresses: Callable[..., None], status: Engine, check: Check) -> Run:
    """A run that found three domains lapsed, each with one address."""
    add_addresses(*(f"owner@{domain}" for domain in LAPSED))
    found = check(dict.fromkeys(LAPSED, GONE))
    store_domain_status(found, status)
    return found


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    """Where a second one works at the same time."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


def wait_until_it_waits(work: Future[Any], status: Engine, for_what: str) -> None:
    """Return when the work waits for a lock that somebody else holds; fail where it ends without."""
    query = (
        "select from pg_locks join pg_stat_activity using (pid)"
        f" where not granted and datname = current_database() and locktype {for_what}"
    )
    for _ in range(DEADLINE * 100):
        if rows(status, query):
            return
        if work.done():
            raise AssertionError(f"it has not waited: {work.result()}")
        threading.Event().wait(0.01)
    raise AssertionError("it neither waits nor ends")


def in_its_turn(work: Callable[[], Any], beside: ThreadPoolExecutor, status: Engine) -> Any:
    """Start the work while another transaction has its turn; return what comes of it when that one has ended."""
    with status.begin() as other:
        other.execute(statement("lock_unverifications"))
        started = beside.submit(work)
        wait_until_it_waits(started, status, "= 'advisory'")
    return started.result(DEADLINE)


def test_a_run_plans_when_the_other_has_planned(
    run: Run, users: UserDatabase, status: Engine, beside: ThreadPoolExecutor
) -> None:
    counts = in_its_turn(lambda: plan_unverifications(run, users, status), beside, status)
    assert counts["candidate_count"] == 3
    assert states(status) == {"planned": 3}


def test_an_answer_counts_when_the_run_has_planned(
    run: Run, users: UserDatabase, status: Engine, beside: ThreadPoolExecutor
) -> None:
    plan_unverifications(replace(run, limits=STRICT), users, status)
    ask(run, status)
    assert in_its_turn(
        lambda: record_answer(run.run_id, Answer.APPROVED, "alice", status, now=run.clock()), beside, status
    )
    assert states(status) == {"planned": 3}


def undo(run: Run, users: UserDatabase, status: Engine) -> int:
    selection = Selection(run_id=run.run_id)
    return undo_unverifications(selection, "an outage", "carol", users, status, dry_run=False).given_back.total()


def test_an_undo_begins_when_the_run_has_planned(
    run: Run, users: UserDatabase, status: Engine, user_url: str, beside: ThreadPoolExecutor
) -> None:
    plan_and_unverify(run, users, status)
    assert in_its_turn(lambda: undo(run, users, status), beside, status) == 3
    assert unverified(user_url) == set()


@pytest.fixture
def die_beside(
    users: UserDatabase, status: Engine, beside: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Run, Callable[[], Any]], Any]:
    """A run takes verifications away and dies before it can say so; others already wait for what it has in hand."""

    def die(run: Run, work: Callable[[], Any]) -> Any:
        unverify, started = users.unverify, []

        def dies_after(addresses: list[object]) -> set[str]:
            started.append(beside.submit(work))
            wait_until_it_waits(started[0], status, "in ('transactionid', 'tuple')")
            unverify(addresses)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(users, "unverify", dies_after)
            with pytest.raises(Killed):
                unverify_emails(run, users, status)
        return started[0].result(DEADLINE)

    return die


def test_who_undoes_waits_for_a_run_at_work_and_gives_back_what_it_took_before_it_died(
    run: Run, users: UserDatabase, status: Engine, user_url: str, die_beside: Callable[..., Any]
) -> None:
    plan_unverifications(run, users, status)
    assert die_beside(run, lambda: undo(run, users, status)) == 3
    assert unverified(user_url) == set()
    assert states(status) == {"undone": 3}


def test_the_next_run_waits_for_a_run_at_work_and_writes_down_what_it_took_before_it_died(
    run: Run, users: UserDatabase, status: Engine, user_url: str, die_beside: Callable[..., Any]
) -> None:
    plan_unverifications(run, users, status)
    following = replace(run, run_id="next", limits=STRICT)
    counts = die_beside(run, lambda: plan_unverifications(following, users, status))
    assert (counts["reconciled_count"], counts["question_count"]) == (3, 0)
    assert unverified(user_url) == LAPSED
    assert {row["run_id"] for row in rows(status, "select run_id from lapsewatch.address_unverification")} == {"first"}
    assert states(status) == {"unverified": 3}


def test_a_run_carries_out_its_own_intents(run: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    plan_unverifications(run, users, status)
    assert unverify_emails(replace(run, run_id="other"), users, status)["unverified_count"] == 0
    assert unverified(user_url) == set()
    assert unverify_emails(run, users, status)["unverified_count"] == 3


def test_a_run_carries_out_nothing_where_another_policy_has_spoken_since(
    run: Run, users: UserDatabase, status: Engine, user_url: str, check: Check
) -> None:
    plan_unverifications(run, users, status)
    since = check({"lapsed0.com": GONE}, run_id="since", scope="list", domains=("lapsed0.com",), policy=Policy.PYPI)
    store_domain_status(since, status)
    [known] = rows(status, "select policy, verdict from lapsewatch.domain_status where domain = 'lapsed0.com'")
    assert (known["policy"], known["verdict"]) == ("pypi", "unverify")
    unverify_emails(run, users, status)
    assert unverified(user_url) == LAPSED - {"lapsed0.com"}


def test_a_run_carries_out_nothing_for_a_lapse_that_has_ended_also_where_the_domain_has_lapsed_again(
    run: Run, users: UserDatabase, status: Engine, user_url: str, check: Check
) -> None:
    plan_unverifications(run, users, status)
    for run_id, told in {"renewed": "active", "again": GONE}.items():
        since = check({"lapsed0.com": told}, run_id=run_id, scope="list", domains=("lapsed0.com",))
        store_domain_status(since, status)
    lapses = rows(
        status, "select ended_at from lapsewatch.domain_lapse where domain = 'lapsed0.com' order by lapsed_at"
    )
    assert [row["ended_at"] is None for row in lapses] == [False, True]
    unverify_emails(run, users, status)
    assert unverified(user_url) == LAPSED - {"lapsed0.com"}
