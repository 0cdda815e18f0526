"""The process is killed (SIGKILL) between every two statements of planning, answering and unverifying."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, NoReturn

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.stages import unverify_emails as stage
from lapsewatch.stages.approve_unverifications import Answer, record_answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run, utc_now
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile
from sqlalchemy import Engine, event

from local import postgres
from tests.conftest import sqlalchemy_engine
from tests.stages.conftest import Check

LAPSED = [f"owner{number}@lapsed{number % 2}.com" for number in range(5)]
COPIES = {"status": "status_killed", "users": "users_killed"}


@pytest.fixture
def lapsed(add_addresses: Callable[..., None], status: Engine, users: UserDatabase, check: Check) -> Run:
    add_addresses(*LAPSED, "owner@alive.com")
    run = check({"lapsed0.com": "undelegated inactive", "lapsed1.com": "undelegated inactive"})
    store_domain_status(run, status)
    return run


class Copies:
    """Both databases as the run left them before it unverifies, copied anew for every kill."""

    def __init__(self, server: postgres.Server) -> None:
        self._server = server

    def restore(self) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            for original, copy in COPIES.items():
                connection.execute(f"drop database if exists {copy} with (force)")
                connection.execute(f"create database {copy} template {original}")

    @contextmanager
    def opened(self) -> Iterator[tuple[Engine, UserDatabase]]:
        status, users = (sqlalchemy_engine(self._server.url(name)) for name in COPIES.values())
        try:
            yield status, UserDatabase(users, load_profile("pypi"))
        finally:
            status.dispose()
            users.dispose()

    def state(self) -> tuple[list[Any], list[Any]]:
        """What has to be equal in the end: the users, and whose verification is said to have been taken away."""
        return (
            self._read(
                "users",
                "select email, verified, unverify_reason::text, domain_last_status from user_emails order by id",
            ),
            self._read(
                "status",
                "select address_key, domain, state, reason, settled_at is not null"
                " from lapsewatch.address_unverification order by 1, 2",
            ),
        )

    def changed_without_record(self) -> set[str]:
        """Addresses that lost their verification although nobody wrote down that they would."""
        changed = self._read("users", "select id::text from user_emails where not verified")
        recorded = self._read(
            "status",
            "select address_key from lapsewatch.address_unverification where state in ('planned', 'unverified')",
        )
        return {key for (key,) in changed} - {key for (key,) in recorded}

    def _read(self, original: str, query: str) -> list[Any]:
        with psycopg.connect(self._server.url(COPIES[original])) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def copies(lapsed: Run, postgres_server: postgres.Server, status: Engine, users: UserDatabase) -> Copies:
    # A database that somebody is connected to can't be copied.
    status.dispose()
    users._engine.dispose()
    return Copies(postgres_server)


def walk(run: Run, status: Engine, users: UserDatabase) -> None:
    """Plan, have it approved where that is asked for, and carry it out."""
    if plan_unverifications(run, users, status)["question_count"]:
        record_answer(run.run_id, Answer.APPROVED, "alice", status, now=run.clock())
    unverify_emails(run, users, status)


def is_killed(copies: Copies, run: Run, before: int) -> bool:
    """Walk in a process of its own that is killed before its n-th statement; tell whether it came so far."""
    child = os.fork()
    if child == 0:
        walk_and_die(copies, run, before)
    _, end = os.waitpid(child, 0)
    assert end in {signal.SIGKILL, 0}
    return bool(end)


def walk_and_die(copies: Copies, run: Run, before: int) -> NoReturn:
    """Never returns: the child must not come back into the tests."""
    statements = count()

    def next_statement(*_: object) -> None:
        if next(statements) == before:
            os.kill(os.getpid(), signal.SIGKILL)

    exit_status = 1
    try:
        with copies.opened() as (status, users):
            for engine in (status, users._engine):
                event.listen(engine, "before_cursor_execute", next_statement)
                event.listen(engine, "commit", next_statement)
            walk(run, status, users)
            exit_status = 0
    finally:
        os._exit(exit_status)


AGAIN = {"retry": {}, "next day": {"run_id": "next", "clock": lambda: utc_now() + timedelta(hours=22)}}


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize("limits", [RUN_LIMITS, replace(RUN_LIMITS, addresses=1)], ids=["by itself", "approved"])
def test_killed_between_any_two_statements_a_rerun_ends_in_the_undisturbed_state(
    lapsed: Run, copies: Copies, monkeypatch: pytest.MonkeyPatch, limits: object, again: str
) -> None:
    monkeypatch.setattr(stage, "ADDRESSES_PER_TRANSACTION", 2)
    run = replace(lapsed, limits=limits)
    copies.restore()
    assert not is_killed(copies, run, before=10_000)
    undisturbed = copies.state()
    assert [verified for _, verified, *_ in undisturbed[0]] == [*[False] * 5, True]
    kills = 0
    for before in count():
        copies.restore()
        if not is_killed(copies, run, before):
            break
        kills += 1
        assert copies.changed_without_record() == set(), f"killed before statement {before}"
        with copies.opened() as (status, users):
            walk(replace(run, **AGAIN[again]), status, users)
        assert copies.state() == undisturbed, f"killed before statement {before}"
    # Three transactions of two, each with reading, changing and confirming, are among them.
    assert kills > 30
