"""What the two roles may do in a user database on PostgreSQL, whatever its profile; nothing else is let through."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from lapsewatch.user_databases.database import UserDatabaseError
from psycopg import errors

from local import postgres, privileges
from tests.contracts.profiles.system import CHECKED_AT, LONG_AGO, System

READERS_VIEWS = {"verified_email", "sole_address", "account"}
FORGE = (
    "insert into lapsewatch.unverification (address_key, host, verified_at, checked_at, flags)"
    " values (%s, %s, %s, now(), '{inactive}') returning address_key"
)
GIVE_BACK = "update lapsewatch.unverification set reverified_at = now() returning address_key"


@pytest.fixture(params=privileges.GROUPS)
def login(request: pytest.FixtureRequest) -> str:
    """Each of the two roles that log in."""
    return str(request.param)


@pytest.fixture
def unverifier_url(postgres_server: postgres.Server) -> str:
    return postgres_server.url("contract", privileges.UNVERIFIER)


def refused(url: str, statement: str) -> type[Exception] | None:
    """Try a statement; return the kind of the refusal, None where it was carried out (it is taken back)."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            return type(error)
        finally:
            connection.rollback()
    return None


def has_ledger(system: System) -> bool:
    return system.profile.evidence == "ledger"


def test_no_table_is_open(system: System, login: str, postgres_server: postgres.Server) -> None:
    system.add("a@lapsed.com")
    url = postgres_server.url("contract", login)
    tables = list(system.tables())
    assert tables
    for table in tables:
        for statement in (
            f"select count(*) from {table}",
            f"delete from {table}",
            f"truncate {table}",
            f"drop table {table}",
            f"alter table {table} add column more text",
            f"create trigger t before update on {table} execute function suppress_redundant_updates_trigger()",
            f"grant select on {table} to public",
            f"lock table {table}",
        ):
            assert refused(url, statement) is errors.InsufficientPrivilege, statement


def test_only_what_is_granted_is_open(system: System, login: str, postgres_server: postgres.Server) -> None:
    url = postgres_server.url("contract", login)
    views = [
        name
        for (name,) in system.connection.execute(
            "select relname from pg_class where relnamespace = 'lapsewatch'::regnamespace and relkind = 'v'"
        )
    ]
    assert set(views) > READERS_VIEWS
    hidden = {"known_address", "hosted_address"}
    for view in views:
        may_read = view in READERS_VIEWS or (login == privileges.UNVERIFIER and view not in hidden)
        expected = None if may_read else errors.InsufficientPrivilege
        assert refused(url, f"select * from lapsewatch.{view}") is expected, view
        assert refused(url, f"drop view lapsewatch.{view}") is errors.InsufficientPrivilege
        assert refused(url, f"delete from lapsewatch.{view}") in {
            errors.InsufficientPrivilege,
            errors.ObjectNotInPrerequisiteState,
        }
    statements = [
        "create table lapsewatch.mine (id integer)",
        "create view lapsewatch.mine as select 1",
        "create schema mine",
        "create role mine",
        "drop schema lapsewatch cascade",
        "set role lapsewatch",
    ]
    if has_ledger(system):
        statements += [
            "select was from lapsewatch.unverification",
            "select address_digest from lapsewatch.unverification",
            "delete from lapsewatch.unverification",
            "truncate lapsewatch.unverification",
            "update lapsewatch.unverification set host = 'other.org'",
            "update lapsewatch.unverification set address_key = '1', reverified_at = now()",
            (
                "insert into lapsewatch.unverification (address_key, host, checked_at, flags, was)"
                " values ('1', 'lapsed.com', now(), '{}', '{}')"
            ),
            "alter table lapsewatch.unverification disable trigger all",
            "drop trigger take_verification on lapsewatch.unverification",
            "create or replace function lapsewatch.take_verification() returns trigger language sql as 'select 1'",
        ]
    for statement in statements:
        assert refused(url, statement) is errors.InsufficientPrivilege, statement


def test_no_function_of_the_owners_can_be_called(system: System, login: str, postgres_server: postgres.Server) -> None:
    held = """
        select proname, has_function_privilege(%s, oid, 'execute') from pg_proc
        where pronamespace = 'lapsewatch'::regnamespace
    """
    open_to = {name for name, is_open in system.connection.execute(held, [login]) if is_open}
    by_the_caller = {"read_key"} if system.profile.evidence == "columns" else {"read_key", "reverify_addresses"}
    assert open_to == (by_the_caller if login == privileges.UNVERIFIER else set())


def test_no_view_shows_an_address(system: System, unverifier_url: str) -> None:
    key = system.add("secretive@lapsed.com", at=LONG_AGO)
    system.add("other@lapsed.com")
    judged = [it for it in system.judge("lapsed.com") if it.address_key == key]
    assert system.users.unverify(judged) == {key}
    shown = system.connection.execute(
        "select relname from pg_class where relnamespace = 'lapsewatch'::regnamespace and relkind = 'v'"
        " and has_table_privilege('lapsewatch_unverifier', oid, 'select')"
    ).fetchall()
    with psycopg.connect(unverifier_url) as connection:
        seen = str([connection.execute(f"select * from lapsewatch.{view}").fetchall() for (view,) in shown])
    assert "lapsed.com" in seen
    assert "@" not in seen
    assert "secretive" not in seen


def test_the_ledger_holds_no_address(system: System) -> None:
    if not has_ledger(system):
        return
    system.add("secretive@lapsed.com", at=LONG_AGO)
    system.users.unverify(system.judge("lapsed.com"))
    kept = system.execute("select jsonb_agg(to_jsonb(it))::text from lapsewatch.unverification as it")
    assert "lapsed.com" in kept
    assert "@" not in kept
    assert "secretive" not in kept


def test_the_reader_is_enough_to_read_and_changes_nothing(system: System) -> None:
    system.add("a@lapsed.com")
    assert [it.host for it in system.reader.hosts()] == ["lapsed.com"]
    assert [it.host for it in system.reader.sole_addresses()] == ["lapsed.com"]
    reader = type(system.reader)(system.reader._engine, system.profile, on_lapse="unverify")
    before = system.rows()
    with pytest.raises(UserDatabaseError, match="InsufficientPrivilege"):
        reader.unverify(system.judge("lapsed.com"))
    with pytest.raises(UserDatabaseError, match="InsufficientPrivilege"):
        reader.reverify(system.judge("lapsed.com"))
    assert system.rows() == before


def test_a_forged_row_verifies_nobody(system: System, unverifier_url: str) -> None:
    if not has_ledger(system):
        return
    never = system.add("never@lapsed.com", verified=False)
    theirs = system.add("theirs@lapsed.com")
    system.unverify(theirs)
    before = system.rows()
    with psycopg.connect(unverifier_url) as connection:
        for key in (never, theirs):
            for verified_at in (None, CHECKED_AT, "infinity"):
                assert connection.execute(FORGE, [key, "lapsed.com", verified_at]).fetchall() == []
        assert connection.execute(GIVE_BACK).fetchall() == []
    assert system.rows() == before
    assert system.execute("select count(*) from lapsewatch.unverification") == 0


def test_a_forged_row_for_a_verified_address_can_only_be_taken_back(system: System, unverifier_url: str) -> None:
    if not has_ledger(system):
        return
    key = system.add("a@lapsed.com", at=LONG_AGO)
    before = system.rows()
    with psycopg.connect(unverifier_url) as connection:
        assert connection.execute(FORGE, [key, "other.org", None]).fetchall() == []
        taken = connection.execute(FORGE, [key, "lapsed.com", "infinity"]).fetchall()
        assert taken == [(key,)]
        assert connection.execute(FORGE, [key, "lapsed.com", "infinity"]).fetchall() == []
        at_the_end = "update lapsewatch.unverification set reverified_at = 'infinity' returning reverified_at <= now()"
        assert connection.execute(at_the_end).fetchall() == [(True,)]
        again = "update lapsewatch.unverification set reverified_at = null returning address_key"
        assert connection.execute(again).fetchall() == []
        assert connection.execute(GIVE_BACK).fetchall() == []
    assert system.rows() == before
    system.unverify(key)
    with psycopg.connect(unverifier_url) as connection:
        assert connection.execute(GIVE_BACK).fetchall() == []
    assert system.counts() == {}


@contextmanager
def locked_by_the_service(
    system: System, key: str, email: str, act: Callable[[], set[str]], postgres_server: postgres.Server
) -> Iterator[Future[set[str]]]:
    """Change an address in a transaction of the service's, which ends after the block; act on it until that waits."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = 'contract'"
    with psycopg.connect(postgres_server.url("contract")) as theirs, ThreadPoolExecutor(1) as threads:
        type(system)(theirs).change(key, email)
        ours = threads.submit(act)
        try:
            while not ours.done() and not system.execute(waiting):
                pass
            yield ours
        finally:
            theirs.commit()


def test_a_ledger_of_ones_own_verifies_nobody(system: System, unverifier_url: str) -> None:
    if not has_ledger(system):
        return
    key = system.add("a@lapsed.com", verified=False)
    # As an owner's default privileges would give it.
    system.connection.execute(
        f"grant execute on function lapsewatch.give_verification_back to {privileges.UNVERIFIER};"
        f" grant create on schema public to {privileges.UNVERIFIER}"
    )
    with psycopg.connect(unverifier_url) as connection:
        connection.execute(
            "create table public.mine as select cast(1 as bigint) as id, %s as address_key, cast('{}' as jsonb) as was,"
            " sha256('a@lapsed.com') as address_digest, cast(null as timestamptz) as reverified_at",
            [key],
        )
        connection.execute(
            "create trigger t before update on public.mine for each row"
            " execute function lapsewatch.give_verification_back()"
        )
        with pytest.raises(errors.RaiseException, match="only"):
            connection.execute("update public.mine set reverified_at = now()")
    assert system.counts() == {}


def test_who_is_being_moved_is_waited_for(system: System, postgres_server: postgres.Server) -> None:
    """What the service does in a transaction that has not ended yet counts, whichever way it is changed here."""
    key = system.add("a@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    unverify = partial(system.users.unverify, judged)
    with locked_by_the_service(system, key, "a@other.org", unverify, postgres_server) as ours:
        pass
    assert ours.result() == set()
    assert system.counts() == {"other.org": 1}
    judged = system.judge("other.org")
    assert system.users.unverify(judged) == {key}
    reverify = partial(system.users.reverify, judged)
    with locked_by_the_service(system, key, "a@third.net", reverify, postgres_server) as ours:
        pass
    assert ours.result() == set()
    assert system.counts() == {}


def test_addresses_are_locked_in_the_order_of_keys(system: System, postgres_server: postgres.Server) -> None:
    """Two batches that cross wait for each other: whoever waits for an address holds none with a higher key."""
    names = {system.add(f"{name}@lapsed.com", at=LONG_AGO): name for name in "abc"}
    judged = sorted(system.judge("lapsed.com"), key=lambda it: it.address_key, reverse=True)
    first, *others = sorted(names)
    system.execute("set lock_timeout = '3s'")
    for act in (system.users.unverify, system.users.reverify):
        email = f"{names[first]}@Lapsed.com"
        with locked_by_the_service(system, first, email, partial(act, judged), postgres_server) as ours:
            for key in others:
                system.change(key, f"{names[key]}@LAPSED.com")
        assert ours.result() == set(names)


def test_a_key_in_other_words_is_the_same_in_the_ledger(system: System, unverifier_url: str) -> None:
    if not has_ledger(system):
        return
    key = system.add("a@lapsed.com", at=LONG_AGO)
    with psycopg.connect(unverifier_url) as connection:
        for words in (f"0{key}", key.upper()):
            taken = connection.execute(FORGE, [words, "lapsed.com", "infinity"]).fetchall()
            assert taken in ([], [(key,)])
            assert connection.execute(GIVE_BACK).fetchall() == taken


def test_a_search_path_of_the_callers_changes_nothing(system: System, unverifier_url: str) -> None:
    """The ledger's triggers run by the owner's rights: nothing that the caller names may run in them.

    As before PostgreSQL 15, where everybody may create in public.
    """
    if not has_ledger(system):
        return
    key = system.add("a@lapsed.com", at=LONG_AGO)
    system.execute("grant create on schema public to lapsewatch_unverifier")
    trap = "language plpgsql as $$ begin raise exception 'trapped as %%', current_user; end $$"
    with psycopg.connect(unverifier_url) as connection:
        for statement in (
            f"create function public.lower(text) returns text {trap}",
            f"create function public.now() returns timestamptz {trap}",
            f"create function public.sha256(bytea) returns bytea {trap}",
            f"create function public.convert_to(text, name) returns bytea {trap}",
            "create temporary table unverification (address_key text)",
            *(f"create temporary table {table.rpartition('.')[2]} (id text)" for table in system.tables()),
            "set search_path = public, pg_temp, pg_catalog",
        ):
            connection.execute(statement.replace("%%", "%"))
        assert connection.execute(
            FORGE.replace("now()", "pg_catalog.now()"), [key, "lapsed.com", "infinity"]
        ).fetchall()
        assert system.counts() == {"lapsed.com": 1}
        connection.commit()
        assert system.counts() == {}
        assert connection.execute(GIVE_BACK.replace("now()", "pg_catalog.now()")).fetchall() == [(key,)]
    assert system.counts() == {"lapsed.com": 1}


def test_what_others_made_in_public_is_not_built_in(
    system: System, unverifier_url: str, postgres_server: postgres.Server
) -> None:
    """The script makes views and functions that run by the owner's rights: what suits a type better is in its way."""
    system.execute("grant create on schema public to lapsewatch_unverifier")
    trap = "language plpgsql as $$ begin raise exception 'trapped as %', current_user; end $$"
    with psycopg.connect(unverifier_url) as connection:
        for statement in (
            f"create function public.lower(varchar) returns text {trap}",
            f"create function public.jsonb_build_object(text, timestamptz) returns jsonb {trap}",
            f"create function public.jsonb_build_object(text, timestamp) returns jsonb {trap}",
            f"create function public.split_part(varchar, text, integer) returns text {trap}",
            f"create function public.joined(name, text) returns text {trap}",
            "create operator public.|| (leftarg = name, rightarg = text, function = public.joined)",
        ):
            connection.execute(statement)
    privileges.grant(postgres_server.url("contract"), postgres_server.cluster.password, system.profile.grants())
    key = system.add("a@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    assert len(system.users.standings(judged)) == 1
    assert system.users.reverify(judged) == {key}


def test_granting_again_changes_nothing_and_keeps_the_ledger(system: System, postgres_server: postgres.Server) -> None:
    def acls() -> list[tuple[object, ...]]:
        query = """
            select relname, relacl::text from pg_class where relnamespace = 'lapsewatch'::regnamespace
            union all
            select attrelid::regclass::text || attname, attacl::text from pg_attribute where attacl is not null
            union all
            select proname, proacl::text from pg_proc where pronamespace = 'lapsewatch'::regnamespace
            order by 1, 2
        """
        return system.connection.execute(query).fetchall()

    key = system.add("a@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    before = acls()
    privileges.grant(postgres_server.url("contract"), postgres_server.cluster.password, system.profile.grants())
    assert acls() == before
    assert system.users.reverify(judged) == {key}


@pytest.mark.parametrize(
    "owned",
    ["schema lapsewatch", "view lapsewatch.account", "function lapsewatch.read_key(text)"],
)
def test_the_script_stops_where_a_stranger_owns_a_part(
    system: System, owned: str, postgres_server: postgres.Server
) -> None:
    """What he puts there would run by the rights of whoever runs the script."""
    url, password = postgres_server.url("contract"), postgres_server.cluster.password
    system.execute("create role stranger")
    try:
        system.execute("grant create on schema lapsewatch to stranger")
        system.execute(f"alter {owned} owner to stranger")
        with pytest.raises(errors.InsufficientPrivilege, match="is owned by stranger, and not by lapsewatch"):
            privileges.grant(url, password, system.profile.grants())
        system.execute("alter role stranger superuser")
        privileges.grant(url, password, system.profile.grants())
    finally:
        system.execute("reassign owned by stranger to lapsewatch")
        system.execute("drop owned by stranger")
        system.execute("drop role stranger")


def test_every_relation_and_column_is_explained(system: System) -> None:
    unexplained = system.connection.execute(
        """
        select c.relname, a.attname
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'lapsewatch'::regnamespace and c.relkind in ('r', 'v')
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
        """
    ).fetchall()
    assert unexplained == []


def test_the_declared_tables_columns_and_indexes_are_there(system: System) -> None:
    profile = system.profile
    assert profile.tables
    for table, columns in profile.tables.items():
        found = dict(
            system.connection.execute(
                "select attname, format_type(atttypid, null) from pg_attribute"
                " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                [table],
            ).fetchall()
        )
        assert {name: found.get(name) for name in columns} == columns
    assert profile.indexes
    indexed = {
        f"{table}({column})"
        for table, column in system.connection.execute(
            "select n.nspname || '.' || c.relname, a.attname from pg_index as i"
            " join pg_class as c on c.oid = i.indrelid join pg_namespace as n on n.oid = c.relnamespace"
            " join pg_attribute as a on a.attrelid = c.oid and a.attnum = i.indkey[0]"
        ).fetchall()
    }
    assert set(profile.indexes) <= indexed
