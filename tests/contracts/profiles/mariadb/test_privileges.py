"""What the two roles may do in a user database on MariaDB; nothing else is let through."""

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from lapsewatch.user_databases.database import UserDatabase, UserDatabaseError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from local import mariadb, privileges
from tests.contracts.profiles.mariadb.conftest import SERVICE
from tests.contracts.profiles.system import LONG_AGO, System

DENIED = {1044, 1045, 1142, 1143, 1227, 1370, 1410, 1698}
"""What MariaDB calls it when somebody lacks a privilege."""
VIEWS = {
    "known_address": set[str](),
    "hosted_address": set[str](),
    "changed_address": set[str](),
    "verified_email": {privileges.READER, privileges.UNVERIFIER},
    "sole_address": {privileges.READER, privileges.UNVERIFIER},
    "account": {privileges.READER, privileges.UNVERIFIER},
    "verified_address": {privileges.UNVERIFIER},
    "address": {privileges.UNVERIFIER},
    "unverified_address": {privileges.UNVERIFIER},
}
FORGED = (
    '[{"address_key": "%s", "host": "%s", "verified_at": "9999-01-01", "checked_at": "2026-11-01",'
    ' "flags": ["inactive"]}]'
)


@pytest.fixture(params=privileges.GROUPS)
def login(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def session(system: System, mariadb_server: mariadb.Server, login: str) -> Iterator[Any]:
    """A session of each of the two roles that log in."""
    with pymysql.connect(
        host="127.0.0.1", port=mariadb_server.port, user=login, password=mariadb_server.password, charset="utf8mb4"
    ) as connection:
        yield connection


def refusal(session: Any, statement: str) -> int | None:
    """Try a statement; return the number of the refusal, None where it was carried out (it is taken back)."""
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
    except pymysql.Error as error:
        return int(error.args[0])
    finally:
        session.rollback()
    return None


def called(session: Any, procedure: str, addresses: str) -> list[str]:
    session.begin()
    with session.cursor() as cursor:
        cursor.execute(f"call lapsewatch.{procedure}(%s)", [addresses])
        keys = [key for (key,) in cursor.fetchall()]
    session.commit()
    return keys


def test_no_table_is_open(system: System, session: Any) -> None:
    for table in system.tables():
        for statement in (
            f"select count(*) from {SERVICE}.{table}",
            f"delete from {SERVICE}.{table}",
            f"truncate {SERVICE}.{table}",
            f"drop table {SERVICE}.{table}",
            f"alter table {SERVICE}.{table} add column more text",
            f"create trigger {SERVICE}.mine before update on {SERVICE}.{table} for each row set @a = 1",
            f"lock tables {SERVICE}.{table} write",
        ):
            assert refusal(session, statement) in DENIED, statement


def test_views_are_read_by_whom_they_are_for(system: System, session: Any, login: str) -> None:
    with system.connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.views where table_schema = 'lapsewatch'")
        assert {name for (name,) in cursor.fetchall()} == set(VIEWS)
    for view, readers in VIEWS.items():
        number = refusal(session, f"select * from lapsewatch.{view}")
        assert number is None if login in readers else number in DENIED, view
        for statement in ("delete from {}", "drop view {}", "alter view {} as select 1", "show create view {}"):
            assert refusal(session, statement.format(f"lapsewatch.{view}")) in DENIED, statement


@pytest.mark.parametrize(
    "statement",
    [
        "update lapsewatch.address set verified = 1",
        "update lapsewatch.changed_address set enabled = 1",
        "select was from lapsewatch.unverification",
        "select address_digest from lapsewatch.unverification",
        "insert into lapsewatch.unverification (address_key) values ('1')",
        "update lapsewatch.unverification set reverified_at = null",
        "delete from lapsewatch.unverification",
        "call lapsewatch.unverify_address(1)",
        "call lapsewatch.reverify_address(1, '{}')",
        "create table lapsewatch.mine (id integer)",
        "create function lapsewatch.lower(given text) returns text return given",
        "create or replace function lapsewatch.read_key(given text) returns int return 1",
        "create or replace procedure lapsewatch.unverify_addresses(in a text) select 1",
        "create database mine",
        "create role mine",
        "drop database lapsewatch",
        "select * from mysql.global_priv",
        "select 1 into outfile '/tmp/mine'",
    ],
)
def test_anything_else_is_refused(session: Any, statement: str) -> None:
    assert refusal(session, statement) in DENIED


def test_the_reader_changes_nothing(system: System) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    assert [it.host for it in system.reader.hosts()] == ["lapsed.com"]
    reader = UserDatabase(system.reader._engine, system.profile, on_lapse="unverify")
    for act in (reader.unverify, reader.reverify):
        with pytest.raises(UserDatabaseError, match="1370"):
            act(judged)
    assert system.counts() == {"lapsed.com": 1}


@pytest.mark.parametrize("login", [privileges.UNVERIFIER], indirect=True)
def test_a_forged_call_verifies_nobody(system: System, session: Any) -> None:
    never = system.add("never@lapsed.com", verified=False)
    theirs = system.add("theirs@lapsed.com")
    system.unverify(theirs)
    before = system.rows()
    for key in (never, theirs):
        assert called(session, "unverify_addresses", FORGED % (key, "lapsed.com")) == []
        assert called(session, "reverify_addresses", FORGED % (key, "lapsed.com")) == []
    assert system.rows() == before
    assert system.execute("select count(*) from lapsewatch.unverification") == 0


@pytest.mark.parametrize("login", [privileges.UNVERIFIER], indirect=True)
def test_a_forged_call_for_a_verified_address_can_only_be_taken_back(system: System, session: Any) -> None:
    key = system.add("a@lapsed.com")
    before = system.rows()
    assert called(session, "unverify_addresses", FORGED % (key, "other.org")) == []
    forged = FORGED % (key, "lapsed.com")
    assert called(session, "unverify_addresses", forged) == [key]
    assert called(session, "unverify_addresses", forged) == []
    assert called(session, "reverify_addresses", forged) == [key]
    assert called(session, "reverify_addresses", forged) == []
    assert system.rows() == before
    system.unverify(key)
    assert called(session, "reverify_addresses", forged) == []
    assert system.counts() == {}


@pytest.mark.parametrize("login", [privileges.UNVERIFIER], indirect=True)
def test_outside_of_a_transaction_nothing_is_called(system: System, session: Any) -> None:
    """What is taken and what is written in the ledger would not be one."""
    key = system.add("a@lapsed.com")
    session.autocommit(True)
    for procedure in ("unverify_addresses", "reverify_addresses"):
        assert refusal(session, f"call lapsewatch.{procedure}('{FORGED % (key, 'lapsed.com')}')") == 1644
    assert system.counts() == {"lapsed.com": 1}


@pytest.mark.parametrize("login", [privileges.UNVERIFIER], indirect=True)
def test_an_old_snapshot_does_not_hide_what_has_happened_since(system: System, session: Any) -> None:
    """A transaction reads as of its first look; what changes something must look anew."""
    key = system.add("a@lapsed.com")
    session.begin()
    with session.cursor() as cursor:
        cursor.execute("select * from lapsewatch.address")
        assert cursor.fetchall()
        system.change(key, "a@other.org")
        cursor.execute("call lapsewatch.unverify_addresses(%s)", [FORGED % (key, "lapsed.com")])
        assert cursor.fetchall() == ()
    session.commit()
    assert system.counts() == {"other.org": 1}


def test_no_view_shows_an_address_nor_does_the_ledger(system: System) -> None:
    key = system.add("secretive@lapsed.com", at=LONG_AGO)
    system.add("other@lapsed.com")
    judged = [it for it in system.judge("lapsed.com") if it.address_key == key]
    assert system.users.unverify(judged) == {key}
    seen = str([list(system.rows_of(f"lapsewatch.{view}")) for view, readers in VIEWS.items() if readers])
    seen += str(list(system.rows_of("lapsewatch.unverification")))
    assert "lapsed.com" in seen
    assert "@" not in seen
    assert "secretive" not in seen


def test_reading_is_done_in_read_only_transactions_with_a_timeout(system: System) -> None:
    key = system.add("a@lapsed.com")
    with system.users._reading() as connection:
        assert connection.scalar(text("select @@max_statement_time")) == 1800
        with pytest.raises(OperationalError, match="1792"):
            connection.execute(text("call lapsewatch.unverify_addresses(:it)"), {"it": FORGED % (key, "lapsed.com")})


def test_what_takes_too_long_is_ended(system: System) -> None:
    hurried = UserDatabase(system.users._engine, system.profile, timeout=0.001)
    system.execute(system.fill, count=50_000)
    with pytest.raises(UserDatabaseError, match="statement_timeout"):
        list(hurried.sole_addresses())


def test_granting_again_keeps_the_ledger(system: System, mariadb_server: mariadb.Server) -> None:
    key = system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    mariadb_server.run(system.profile.grants(), SERVICE)
    assert system.users.reverify(judged) == {key}


def test_the_declared_tables_columns_and_indexes_are_there(system: System) -> None:
    profile = system.profile
    assert profile.tables
    with system.connection.cursor() as cursor:
        for table, columns in profile.tables.items():
            cursor.execute(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = database() and table_name = %s",
                [table],
            )
            found = dict(cursor.fetchall())
            assert {name: found.get(name) for name in columns} == columns
        cursor.execute(
            "select concat(table_name, '(', column_name, ')') from information_schema.statistics"
            " where table_schema = database() and seq_in_index = 1"
        )
        assert set(profile.indexes) <= {name for (name,) in cursor.fetchall()}
