"""The process is killed (SIGKILL) between every two statements of planning, answering and unverifying."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.stages import unverify_emails as stage
from lapsewatch.stages.approve_unverifications import Answer, open_question, record_answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run, utc_now
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import Check, is_killed

LAPSED = [f"owner{number}@lapsed{number % 2}.com" for number in range(5)]


@pytest.fixture
def lapsed(add_addresses: Callable[..., None], status: Engine, users: UserDatabase, check: Check) -> Run:
    add_addresses(*LAPSED, "owner@alive.com")
    run = check({"lapsed0.com": "undelegated inactive", "lapsed1.com": "undelegated inactive"})
    store_domain_status(run, status)
    return run


@dataclass(frozen=True)
class Databases:
    """Both databases, as their owners see them."""

    status: Engine
    users: UserDatabase
    status_url: str
    user_url: str

    def forget(self) -> None:
        """Nobody was ever unverified, planned or asked about."""
        with psycopg.connect(self.status_url) as connection:
            connection.execute(
                "delete from lapsewatch.address_unverification; delete from lapsewatch.approval_lapse;"
                " delete from lapsewatch.unverification_approval"
            )
        with psycopg.connect(self.user_url) as connection:
            connection.execute(
                "update user_emails set verified = true, unverify_reason = null, domain_last_checked = null,"
                " domain_last_status = null"
            )

    def state(self) -> tuple[list[Any], list[Any]]:
        """What has to be equal in the end: the users, and whose verification is said to have been taken away."""
        return (
            _read(
                self.user_url,
                "select email, verified, unverify_reason::text, domain_last_checked, domain_last_status"
                " from user_emails order by id",
            ),
            _read(
                self.status_url,
                "select address_key, domain, state, reason, settled_at is not null"
                " from lapsewatch.address_unverification order by 1, 2",
            ),
        )

    def changed_without_record(self) -> set[str]:
        """Addresses that lost their verification although nobody wrote down that they would."""
        changed = _read(self.user_url, "select id::text from user_emails where not verified")
        recorded = _read(
            self.status_url,
            "select address_key from lapsewatch.address_unverification where state in ('planned', 'unverified')",
        )
        return {key for (key,) in changed} - {key for (key,) in recorded}


def _read(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def databases(lapsed: Run, status: Engine, users: UserDatabase, status_url: str, user_url: str) -> Databases:
    return Databases(status, users, status_url, user_url)


def walk(run: Run, status: Engine, users: UserDatabase) -> None:
    """Plan, have it approved where that is asked for, and carry it out."""
    if plan_unverifications(run, users, status)["question_count"]:
        open_question(run.run_id, status, now=run.clock(), timeout=timedelta(hours=20))
        record_answer(run.run_id, Answer.APPROVED, "alice", status, now=run.clock())
    unverify_emails(run, users, status)


def try_again(run: Run, databases: Databases) -> None:
    """As Airflow does: the task that died is tried again, those before it are done."""
    if _read(databases.status_url, "select 1 from lapsewatch.address_unverification where state <> 'awaiting'"):
        unverify_emails(run, databases.users, databases.status)
    else:
        walk(run, databases.status, databases.users)


def run_the_next_day(run: Run, databases: Databases) -> None:
    tomorrow = replace(run, run_id="next", clock=lambda: utc_now() + timedelta(hours=22))
    walk(tomorrow, databases.status, databases.users)


@pytest.mark.parametrize("again", [try_again, run_the_next_day])
@pytest.mark.parametrize("limits", [RUN_LIMITS, replace(RUN_LIMITS, addresses=1)], ids=["by itself", "approved"])
def test_killed_between_any_two_statements_a_rerun_ends_in_the_undisturbed_state(
    lapsed: Run,
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
    limits: object,
    again: Callable[[Run, Databases], None],
) -> None:
    monkeypatch.setattr(stage, "ADDRESSES_PER_TRANSACTION", 2)
    run = replace(lapsed, limits=limits)
    assert not is_killed(partial(walk, run), databases.status, databases.users, before=10_000)
    undisturbed = databases.state()
    assert [verified for _, verified, *_ in undisturbed[0]] == [*[False] * 5, True]
    kills = 0
    for before in count():
        databases.forget()
        if not is_killed(partial(walk, run), databases.status, databases.users, before):
            break
        kills += 1
        assert databases.changed_without_record() == set(), f"killed before statement {before}"
        again(run, databases)
        assert databases.state() == undisturbed, f"killed before statement {before}"
    # Three transactions of two, each with reading, changing and confirming, are among them.
    assert kills > 30
