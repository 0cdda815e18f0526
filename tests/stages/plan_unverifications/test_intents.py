"""Whose intents are whose: no run carries out, or asks about, what is another's."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
from lapsewatch.stages.approve_unverifications import Answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import plan_and_unverify, rows
from tests.stages.plan_unverifications.conftest import GENEROUS, Lapsed, answer, questions, states, unverified


def test_a_run_that_became_a_dry_run_carries_out_nothing(
    lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str
) -> None:
    run = lapsed(com=3)
    plan_unverifications(run, users, status)
    assert states(status) == {"planned": 3}
    dry = replace(run, dry_run=True)
    assert unverify_emails(dry, users, status)["unverified_count"] == 0
    plan_and_unverify(dry, users, status)
    assert unverified(user_url) == set()
    assert states(status) == {"rejected": 3, "dry_run": 3}


def test_intents_that_nobody_renews_are_given_up_with_their_evidence(
    lapsed: Lapsed, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    run = lapsed(com=2)
    plan_unverifications(run, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails where email = 'owner@lapsed0.com'")
    later = replace(run, run_id="later", clock=lambda: datetime.now(UTC) + timedelta(hours=49))
    plan_unverifications(later, users, status)
    assert states(status) == {"rejected": 2}


def test_what_a_person_is_being_asked_about_no_other_run_touches_or_asks_again(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    other = replace(asked, run_id="other", tld_limits=GENEROUS)
    counts = plan_and_unverify(other, users, status)
    assert (counts["question_count"], counts["unverified_count"]) == (0, 0)
    assert unverified(user_url) == set()
    assert len(questions(status)) == 1
    answer(asked, Answer.APPROVED, status)
    unverify_emails(asked, users, status)
    assert len(unverified(user_url)) == 14
    assert {row["run_id"] for row in rows(status, "select run_id from lapsewatch.address_unverification")} == {"first"}


def test_a_repetition_of_the_same_run_asks_anew(asked: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    plan_unverifications(asked, users, status)
    assert [row["answer"] for row in questions(status)] == [None]
    assert plan_and_unverify(replace(asked, tld_limits=GENEROUS), users, status)["unverified_count"] == 14
    assert questions(status) == []


def test_two_runs_at_once_do_not_both_act(lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str) -> None:
    run = replace(lapsed(com=30), limits=GENEROUS, tld_limits=GENEROUS)
    counted: list[int] = []

    def work(run_id: str) -> None:
        counts = plan_and_unverify(replace(run, run_id=run_id), users, status)
        counted.append(int(str(counts["unverified_count"])))

    workers = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counted) == len(unverified(user_url)) == 30
    assert states(status) == {"unverified": 30}
