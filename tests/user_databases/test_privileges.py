"""What the two roles may do in a user database of the profile `pypi`, and that nothing else is let through."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from lapsewatch.core.errors import Unavailable
from lapsewatch.stages.extract_accounts import extract_accounts
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.user_databases.database import (
    JudgedAddress,
    SuspectHost,
    UserDatabase,
    UserDatabaseError,
    _as_json,
)
from lapsewatch.user_databases.profile import load_profile
from psycopg import errors
from sqlalchemy import Engine, text

from local import postgres, privileges
from tests.conftest import confirm_address, sqlalchemy_engine
from tests.stages.conftest import RUN, rows

VIEWS = ["verified_email", "sole_address", "account", "verified_address", "address", "address_evidence"]
READERS_VIEWS = VIEWS[:3]
TABLES = [
    f"public.{name}" for name in ("users", "user_emails", "user_events", "user_security_keys", "roles", "projects")
]
UNVERIFY = "update lapsewatch.address set verified = false, unverify_reason = 'domain status invalid'"
VERIFY = "update lapsewatch.address set verified = true, unverify_reason = null"
CHECKED_AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def people(add_addresses: Callable[..., None], user_url: str) -> None:
    """One address of each kind: trusted, never verified, bounced, and trusted with an old reason left on it."""
    add_addresses("trusted@lapsed.com")
    add_addresses("never@lapsed.com", verified=False)
    add_addresses("bounced@lapsed.com", verified=False)
    add_addresses("byhand@lapsed.com")
    with psycopg.connect(user_url) as connection:
        reason = "update user_emails set unverify_reason = 'hard bounce' where email in (%s, %s)"
        connection.execute(reason, ["bounced@lapsed.com", "byhand@lapsed.com"])
        connection.execute("update users set totp_secret = 'secret'")


def standings(user_url: str) -> dict[str, tuple[bool, str | None]]:
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select email, verified, unverify_reason from user_emails").fetchall()
    return {email.partition("@")[0]: (verified, reason) for email, verified, reason in found}


def judged(users: UserDatabase) -> list[JudgedAddress]:
    suspects = [SuspectHost("lapsed.com", CHECKED_AT, unknown_too=True)]
    found = list(users.addresses_on(suspects))
    return [
        JudgedAddress(it.address_key, it.host, it.verified_at, checked_at=CHECKED_AT, flags=("inactive",))
        for it in found
    ]


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


@pytest.fixture
def reader(reader_url: str) -> Iterator[UserDatabase]:
    engine = sqlalchemy_engine(reader_url)
    yield UserDatabase(engine, load_profile("pypi"))
    engine.dispose()


def test_the_reader_is_enough_to_extract(reader: UserDatabase, status: Engine) -> None:
    assert extract_domains(RUN, reader, status)["address_count"] == 2
    assert extract_accounts(RUN, reader, status) == {"account_at_risk_count": 2}


def test_what_is_read_is_no_function_of_the_search_path(reader: UserDatabase, user_url: str) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "create function public.jsonb_array_elements_text(jsonb) returns setof text language plpgsql as"
            " $$ begin raise exception 'trapped'; end $$"
        )
        connection.execute(f"alter role {privileges.READER} in database users set search_path = public, pg_catalog")
    assert len(list(reader.sole_addresses(skipped_hosts=["mail.com"]))) == 2


def test_a_connection_that_is_ended_meanwhile_is_told_as_one(users: UserDatabase, user_url: str) -> None:
    addresses = judged(users)
    end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s and wait_event_type = 'Lock'"
    with (
        psycopg.connect(user_url) as theirs,
        psycopg.connect(user_url, autocommit=True) as connection,
        ThreadPoolExecutor(1) as threads,
    ):
        theirs.execute("lock table user_emails")
        ours = threads.submit(users.unverify, addresses)
        while not ours.done() and not connection.execute(end, [privileges.UNVERIFIER]).fetchall():
            pass
        with pytest.raises(Unavailable, match="can't be reached"):
            ours.result()


def test_the_reader_cannot_unverify(reader: UserDatabase, users: UserDatabase, user_url: str) -> None:
    before = standings(user_url)
    with pytest.raises(UserDatabaseError, match="InsufficientPrivilege"):
        reader.unverify(judged(users))
    assert standings(user_url) == before


def test_every_verified_address_can_be_unverified_and_no_other(users: UserDatabase, user_url: str) -> None:
    assert len(users.unverify(judged(users))) == 2
    assert standings(user_url) == {
        "trusted": (False, "domain status invalid"),
        "never": (False, None),
        "bounced": (False, "hard bounce"),
        "byhand": (False, "domain status invalid"),
    }


def test_what_was_carried_out_is_known_whatever_became_of_the_address(users: UserDatabase, user_url: str) -> None:
    addresses = judged(users)
    assert users.unverify(addresses) == users.unverified(addresses)
    confirm_address(user_url, "trusted@lapsed.com", CHECKED_AT)
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = false, unverify_reason = 'hard bounce'")
    assert users.unverified(addresses) == {it.address_key for it in addresses}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", privileges.GROUPS)
def test_no_table_is_open(role: str, table: str, user_url: str, postgres_server: postgres.Server) -> None:
    url = postgres_server.url("users", role)
    for statement in (
        f"select count(*) from {table}",
        f"delete from {table}",
        f"truncate {table}",
        f"drop table {table}",
        f"alter table {table} add column more text",
        f"create index on {table} (id)",
        f"create trigger t before update on {table} execute function suppress_redundant_updates_trigger()",
        f"grant select on {table} to public",
        f"lock table {table}",
    ):
        assert refused(url, statement) is errors.InsufficientPrivilege, statement


@pytest.mark.parametrize("role", privileges.GROUPS)
@pytest.mark.parametrize(
    "statement",
    [
        "select email from user_emails",
        "select totp_secret from users",
        "select additional from user_events",
        "select credential_id from user_security_keys",
        "update user_emails set verified = false",
        "update users set is_active = false",
        """insert into user_emails (user_id, email, "primary", verified) select id, 'x@x.org', true, true from users""",
        "insert into lapsewatch.popular_project values ('mine')",
        "select * from lapsewatch.popular_project",
        "create table lapsewatch.mine (id integer)",
        "create view lapsewatch.mine as select 1",
        "create or replace view lapsewatch.account as select * from public.users",
        "create schema mine",
        "create role mine",
        "drop schema lapsewatch cascade",
        "set role lapsewatch",
        "copy lapsewatch.account to program 'cat'",
    ],
)
def test_anything_else_is_refused(role: str, statement: str, user_url: str, postgres_server: postgres.Server) -> None:
    assert refused(postgres_server.url("users", role), statement) is errors.InsufficientPrivilege


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_read_by_whom_they_are_for(view: str, reader_url: str, unverifier_url: str) -> None:
    assert refused(unverifier_url, f"select * from lapsewatch.{view}") is None
    expected = None if view in READERS_VIEWS else errors.InsufficientPrivilege
    assert refused(reader_url, f"select * from lapsewatch.{view}") is expected


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_never_filled_emptied_or_changed_as_a_whole(
    view: str, reader_url: str, unverifier_url: str, user_url: str
) -> None:
    held = "select has_table_privilege(%s, %s, 'insert, update, delete, truncate, references, trigger')"
    with psycopg.connect(user_url) as connection:
        for role in privileges.GROUPS:
            assert connection.execute(held, [role, f"lapsewatch.{view}"]).fetchone() == (False,)
    for url in (reader_url, unverifier_url):
        for statement in ("drop view lapsewatch.{}", "alter view lapsewatch.{} owner to current_user"):
            assert refused(url, statement.format(view)) is errors.InsufficientPrivilege


@pytest.mark.parametrize(
    "column", ["address_key", "account_key", "host", "is_well_formed", "is_primary", "verified_at"]
)
def test_no_other_column_changes(column: str, unverifier_url: str) -> None:
    statement = f"update lapsewatch.address set {column} = null"
    assert refused(unverifier_url, statement) in (errors.InsufficientPrivilege, errors.FeatureNotSupported)


@pytest.mark.parametrize(
    "statement",
    [
        "update lapsewatch.address set verified = false",
        "update lapsewatch.address set verified = false, unverify_reason = 'hard bounce'",
        "update lapsewatch.address set verified = false, unverify_reason = null",
        "update lapsewatch.address set unverify_reason = 'domain status invalid'",
        "update lapsewatch.address set unverify_reason = 'spam complaint'",
        "update lapsewatch.address set verified = true where not verified",
    ],
)
def test_there_is_no_other_reason(statement: str, unverifier_url: str, user_url: str) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = false, unverify_reason = 'domain status invalid'"
            " where email = 'trusted@lapsed.com'"
        )
    assert refused(unverifier_url, statement) is errors.WithCheckOptionViolation


def test_nobody_is_verified_who_was_not_unverified_for_a_lapse(unverifier_url: str, user_url: str) -> None:
    before = standings(user_url)
    with psycopg.connect(unverifier_url) as connection:
        assert connection.execute(UNVERIFY).rowcount == 2
        assert connection.execute(VERIFY).rowcount == 2
    assert standings(user_url) == before | {"byhand": (True, None)}


def test_the_evidence_of_who_is_shown_can_be_set_and_changes_no_standing(unverifier_url: str, user_url: str) -> None:
    before = standings(user_url)
    with psycopg.connect(unverifier_url) as connection:
        told = "update lapsewatch.address set domain_last_checked = now(), domain_last_status = '{inactive}'"
        assert connection.execute(told).rowcount == 2
    assert standings(user_url) == before


@pytest.mark.parametrize("name", ["unverify_addresses", "select_unverified_addresses", "reverify_addresses"])
@pytest.mark.parametrize("methods", [("merge", "hash", "nestloop"), ("merge",), ("hash",)])
def test_many_addresses_of_one_host_and_moment_are_joined_by_key(
    name: str, methods: tuple[str, ...], users: UserDatabase, user_url: str, unverifier_url: str
) -> None:
    """A join by what they all share would meet each with each."""
    with psycopg.connect(user_url, autocommit=True) as connection:
        connection.execute(
            'insert into user_emails (user_id, email, "primary", verified)'
            " select id, 'more' || number || '@lapsed.com', false, true"
            " from (select id from users limit 1) as one, generate_series(1, 3000) as number"
        )
        connection.execute("analyze user_emails")
    given = judged(users)
    assert len(users.unverify(given)) == 3002
    engine = sqlalchemy_engine(unverifier_url)
    with engine.begin() as connection:
        for method in {"merge", "hash", "nestloop"} - set(methods):
            connection.execute(text(f"set local enable_{method}{'' if method == 'nestloop' else 'join'} = off"))
        explain = text(f"explain {load_profile('pypi').statement(name)}")
        plan = "\n".join(connection.execute(explain, {"addresses": _as_json(given)}).scalars())
    engine.dispose()
    joined_by = re.findall(r"(?:Merge|Hash) Cond: (.*)", plan)
    assert joined_by or "nestloop" in methods, plan
    assert [condition for condition in joined_by if condition.count("=") != 1 or ".id" not in condition] == []
    assert users.unverified(given) == {address.address_key for address in given}
    assert users.reverify(given) == {address.address_key for address in given}


def test_no_view_shows_an_address_or_a_secret(unverifier_url: str) -> None:
    with psycopg.connect(unverifier_url) as connection:
        shown = str([connection.execute(f"select * from lapsewatch.{view}").fetchall() for view in VIEWS])
    assert "lapsed.com" in shown
    for hidden in ("@", "trusted", "never", "bounced@", "byhand", "secret"):
        assert hidden not in shown, hidden


def test_a_refusal_shows_no_address(unverifier_url: str) -> None:
    with psycopg.connect(unverifier_url) as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute("update lapsewatch.address set verified = false, unverify_reason = 'hard bounce'")
    assert "@" not in f"{raised.value} {raised.value.diag.message_detail}"


def test_granting_again_changes_nothing(user_url: str, postgres_server: postgres.Server) -> None:
    def acls() -> list[tuple[object, ...]]:
        query = """
            select relname, relacl::text from pg_class where relnamespace = 'lapsewatch'::regnamespace
            union all
            select attrelid::regclass::text || attname, attacl::text from pg_attribute where attacl is not null
            union all
            select r.rolname, m.rolname from pg_auth_members join pg_roles r on r.oid = roleid
            join pg_roles m on m.oid = member where r.rolname like 'lapsewatch%'
            order by 1, 2
        """
        with psycopg.connect(user_url) as connection:
            return connection.execute(query).fetchall()

    privileges.list_popular(user_url, ["kept"])
    before = acls()
    privileges.grant(user_url, postgres_server.cluster.password)
    assert acls() == before
    with psycopg.connect(user_url) as connection:
        assert connection.execute("select * from lapsewatch.popular_project").fetchall() == [("kept",)]


def test_every_view_and_column_is_explained(user_url: str) -> None:
    engine = sqlalchemy_engine(user_url)
    unexplained = rows(
        engine,
        """
        select c.relname, a.attname
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'lapsewatch'::regnamespace and c.relkind in ('r', 'v')
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
        """,
    )
    engine.dispose()
    assert unexplained == []
