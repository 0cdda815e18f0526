"""Who comes between: the service, or another run, at work on the same addresses in a transaction of its own."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pymysql
import pytest
from lapsewatch.user_databases.database import JudgedAddress, Standing, UserDatabase, UserDatabaseError

from local import mariadb, privileges
from tests.contracts.profiles.mariadb.conftest import SERVICE
from tests.contracts.profiles.system import CHECKED_AT, System, only

Act = Callable[[], set[str]]
WAITING = "select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT'"


@contextmanager
def beginning(server: mariadb.Server, login: str = "root") -> Iterator[Any]:
    """A transaction of somebody else's, which ends where the block does not end it."""
    database = SERVICE if login == "root" else "lapsewatch"
    with pymysql.connect(
        host="127.0.0.1", port=server.port, user=login, password=server.password, database=database, charset="utf8mb4"
    ) as connection:
        connection.begin()
        yield connection


def called(cursor: Any, procedure: str, addresses: list[JudgedAddress]) -> set[str]:
    """Call a procedure of the ledger's as somebody else's run; return the keys."""
    asked = [
        {
            "address_key": it.address_key,
            "host": it.host,
            "verified_at": None,
            "checked_at": it.checked_at.isoformat(),
            "flags": it.flags,
        }
        for it in addresses
    ]
    cursor.execute(f"call lapsewatch.{procedure}(%s)", [json.dumps(asked)])
    return {key for (key,) in cursor.fetchall()}


@contextmanager
def waiting(system: System, act: Act) -> Iterator[Future[set[str]]]:
    """Act in a thread of its own, which waits for a lock when the block begins."""
    with ThreadPoolExecutor(1) as threads:
        ours = threads.submit(act)
        while not ours.done() and not system.execute(WAITING):
            time.sleep(0.15)  # asked more often, the table answers the same as before
        assert not ours.done()
        yield ours


@pytest.mark.parametrize(
    ("happen", "taken"),
    [
        ("update fos_user set email = 'a@other.org', email_canonical = 'a@other.org' where id = %s", False),
        ("update fos_user set enabled = false where id = %s", False),
        ("update fos_user set frozen = 'spam' where id = %s", False),
        ("delete from fos_user where id = %s", False),
        ("update fos_user set last_login = now() where id = %s", True),
    ],
)
def test_what_the_service_does_meanwhile_counts(
    system: System, mariadb_server: mariadb.Server, happen: str, taken: bool
) -> None:
    key, stays = system.add("a@lapsed.com"), system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    with beginning(mariadb_server) as theirs:
        theirs.cursor().execute(happen, [key])
        with waiting(system, lambda: system.users.unverify(judged)) as ours:
            theirs.commit()
        assert ours.result() == ({key, stays} if taken else {stays})


@pytest.mark.parametrize(
    ("happen", "given_back"),
    [
        ("update fos_user set email = 'a@other.org', email_canonical = 'a@other.org' where id = %s", False),
        ("update fos_user set enabled = true where id = %s", False),
        ("update fos_user set frozen = 'spam' where id = %s", False),
        ("delete from fos_user where id = %s", False),
        ("update fos_user set last_login = now() where id = %s", True),
    ],
)
def test_what_the_service_does_before_it_is_given_back_counts(
    system: System, mariadb_server: mariadb.Server, happen: str, given_back: bool
) -> None:
    key, stays = system.add("a@lapsed.com"), system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key, stays}
    with beginning(mariadb_server) as theirs:
        theirs.cursor().execute(happen, [key])
        with waiting(system, lambda: system.users.reverify(judged)) as ours:
            theirs.commit()
        assert ours.result() == ({key, stays} if given_back else {stays})


def test_what_was_judged_anew_meanwhile_keeps_to_the_newer_evidence(
    system: System, mariadb_server: mariadb.Server
) -> None:
    """What reads as of its first look must not take an old row of the ledger for the last one."""
    key = system.add("a@lapsed.com")
    first = system.judge("lapsed.com")
    system.users.unverify(first)
    system.verify(key, CHECKED_AT)
    with beginning(mariadb_server, privileges.UNVERIFIER) as theirs, theirs.cursor() as cursor:
        anew = [replace(it, checked_at=CHECKED_AT + timedelta(days=1)) for it in first]
        assert called(cursor, "unverify_addresses", anew) == {key}
        with waiting(system, lambda: system.users.reverify(first)) as ours:
            theirs.commit()
        assert ours.result() == set()
    assert system.counts() == {}
    assert system.users.standings(first) == [Standing.JUDGED_ANEW]


def test_what_is_given_back_twice_is_given_back_once(system: System, mariadb_server: mariadb.Server) -> None:
    """The other undo gave it back, and the service took it for a reason of its own."""
    key = system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    with beginning(mariadb_server) as theirs, theirs.cursor() as cursor:
        assert called(cursor, "reverify_addresses", judged) == {key}
        cursor.execute("update fos_user set enabled = false where id = %s", [key])
        with waiting(system, lambda: system.users.reverify(judged)) as ours:
            theirs.commit()
        assert ours.result() == set()
    assert system.counts() == {}


@pytest.mark.parametrize("theirs_first", ["unverify", "reverify"])
@pytest.mark.parametrize("ours_second", ["unverify", "reverify"])
def test_runs_that_cross_wait_for_each_other(
    system: System, mariadb_server: mariadb.Server, theirs_first: str, ours_second: str
) -> None:
    """Both go in the order of keys, whatever order they were told: else each would wait for what the other holds."""
    for name in "abc":
        system.add(f"{name}@lapsed.com")
    judged = system.judge("lapsed.com")
    keys = {it.address_key for it in judged}
    if "reverify" in {theirs_first, ours_second}:
        assert system.users.unverify(judged) == keys
    if theirs_first != ours_second and theirs_first == "unverify":
        for key in keys:
            system.verify(key, CHECKED_AT)
    act = getattr(system.users, ours_second)
    anew = [replace(it, checked_at=CHECKED_AT + timedelta(days=1)) for it in judged]
    addresses = judged if theirs_first == "reverify" else anew
    with beginning(mariadb_server, privileges.UNVERIFIER) as theirs, theirs.cursor() as cursor:
        procedure = f"{theirs_first}_addresses"
        assert called(cursor, procedure, addresses[:1]) == {judged[0].address_key}
        with waiting(system, lambda: act(list(reversed(judged)))) as ours:
            assert called(cursor, procedure, addresses[1:]) == keys - {judged[0].address_key}
            theirs.commit()
        assert ours.result() == (keys if (theirs_first, ours_second) == ("reverify", "unverify") else set())


def test_who_is_not_touched_is_not_waited_for(system: System, mariadb_server: mariadb.Server) -> None:
    """The service goes on with everybody else meanwhile, also with a newcomer."""
    key, other = system.add("a@lapsed.com"), system.add("b@lapsed.com")
    judged = only(system.judge("lapsed.com"), key)
    system.execute("set innodb_lock_wait_timeout = 1")
    for procedure in ("unverify_addresses", "reverify_addresses"):
        with beginning(mariadb_server, privileges.UNVERIFIER) as theirs, theirs.cursor() as cursor:
            assert called(cursor, procedure, judged) == {key}
            system.change(other, "b@other.org")
            system.add(f"{procedure}@new.org")
            theirs.commit()


@pytest.mark.parametrize("act", ["unverify", "reverify"])
def test_who_waits_too_long_has_done_nothing_and_may_try_again(
    system: System, mariadb_server: mariadb.Server, act: str
) -> None:
    for name in "ab":
        system.add(f"{name}@lapsed.com")
    judged = system.judge("lapsed.com")
    if act == "reverify":
        system.users.unverify(judged)
    before = system.rows()
    ledger = list(system.rows_of("lapsewatch.unverification"))
    mariadb_server.run("set global innodb_lock_wait_timeout = 1;")
    system.users._engine.dispose()  # so that its next connection goes by that
    try:
        with beginning(mariadb_server) as theirs:
            theirs.cursor().execute("update fos_user set last_login = now() where id = %s", [judged[1].address_key])
            with pytest.raises(UserDatabaseError, match="1205"):
                getattr(system.users, act)(judged)
            hurried = UserDatabase(system.users._engine, system.profile, timeout=0.2, on_lapse="unverify")
            with pytest.raises(UserDatabaseError, match="statement_timeout"):
                getattr(hurried, act)(judged)
    finally:
        mariadb_server.run("set global innodb_lock_wait_timeout = default;")
    assert system.rows() == before
    assert list(system.rows_of("lapsewatch.unverification")) == ledger
    assert getattr(system.users, act)(judged) == {it.address_key for it in judged}


@pytest.mark.parametrize("act", ["unverify", "reverify"])
def test_who_loses_a_deadlock_has_done_nothing_and_may_try_again(
    system: System, mariadb_server: mariadb.Server, act: str
) -> None:
    """The service goes in whichever order it likes."""
    for name in "ab":
        system.add(f"{name}@lapsed.com")
    judged = system.judge("lapsed.com")
    if act == "reverify":
        system.users.unverify(judged)
    visit = "update fos_user set last_login = now() where id = %s"
    with beginning(mariadb_server) as theirs, theirs.cursor() as cursor:
        # Who has changed more is not the one that is ended.
        cursor.executemany("insert into maintainers_packages values (%s, 1)", [[number] for number in range(20)])
        cursor.execute(visit, [judged[1].address_key])
        with waiting(system, lambda: getattr(system.users, act)(judged)) as ours:
            cursor.execute(visit, [judged[0].address_key])
            theirs.commit()
        with pytest.raises(UserDatabaseError, match="1213"):
            ours.result()
    assert getattr(system.users, act)(judged) == {it.address_key for it in judged}
