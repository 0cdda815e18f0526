"""What `lapsewatch profile verify` finds in a real database, on the schemas that the contract is held to."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from lapsewatch.core.errors import Unavailable
from lapsewatch.user_databases.profile import Profile, load_profile, profile_names
from lapsewatch.user_databases.verification.finding import Finding, Weight
from lapsewatch.user_databases.verification.looks import look_at
from lapsewatch.user_databases.verification.speed import STATEMENTS

from local import postgres, privileges
from tests.conftest import copy, sqlalchemy_engine
from tests.contracts.profiles.conftest import profile_template as profile_template

DATABASE = "verified"
PROFILES = [name for name in profile_names() if load_profile(name).dialect == "postgresql"]

Verify = Callable[..., list[Finding]]


@pytest.fixture
def owner(postgres_server: postgres.Server, profile_template: Callable[[str], str]) -> Iterator[psycopg.Connection]:
    """The owner of a database of the profile `generic`, without users, with the views on it."""
    with psycopg.connect(copy(postgres_server, profile_template("generic"), DATABASE), autocommit=True) as connection:
        yield connection


@pytest.fixture
def verify(postgres_server: postgres.Server) -> Verify:
    def verify(login: str = postgres.SUPERUSER, profile: Profile | None = None, timeout: float = 60) -> list[Finding]:
        engine = sqlalchemy_engine(postgres_server.url(DATABASE, login))
        try:
            return list(look_at(engine, profile or load_profile("generic"), timeout=timeout))
        finally:
            engine.dispose()

    return verify


def problems(found: list[Finding]) -> list[str]:
    return [it.text for it in found if it.weight is Weight.PROBLEM]


def notes(found: list[Finding]) -> list[str]:
    return [it.text for it in found if it.weight is Weight.NOTE]


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_suits_the_schema_that_it_was_written_for(
    name: str, postgres_server: postgres.Server, profile_template: Callable[[str], str], verify: Verify
) -> None:
    copy(postgres_server, profile_template(name), DATABASE)
    found = verify(profile=load_profile(name))
    assert problems(found) == []
    assert notes(found) == ["there is no verified address"]
    explained = [it.text.partition(" reads ")[0] for it in found if " reads " in it.text]
    assert {"select_hosts", "select_addresses", "select_recipients", "unverify_addresses"} <= set(explained)


def test_it_counts_and_times_hosts(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute(
        "insert into accounts (name, email, email_verified)"
        " select n, n || '@host' || n % 10 || '.example', true from generate_series(1, 100) as n"
    )
    assert verify()[-1].text.endswith(" seconds: 10 rows for 100 addresses")


@pytest.mark.parametrize(
    ("change", "says", "do"),
    [
        ("drop view lapsewatch.verified_email", "select_hosts: something that it needs is not there", "--grants"),
        ("drop schema lapsewatch cascade", "the schema lapsewatch is not there", "--grants"),
        (
            "comment on schema lapsewatch is 'What Lapsewatch sees of the users: profile generic, script 0.'",
            "the schema lapsewatch was made by another version of the script",
            "--grants",
        ),
        (
            "alter table accounts rename column two_factor to factors",
            "public.accounts has no column two_factor",
            "copy",
        ),
        (
            "alter table accounts rename to people",
            "there is no table public.accounts",
            "database of A table of accounts",
        ),
        (
            (
                "drop schema lapsewatch cascade; alter table accounts alter two_factor drop default,"
                " drop constraint accounts_two_factor_check, alter two_factor type boolean using false"
            ),
            "public.accounts.two_factor is boolean, and not text",
            "grants.sql",
        ),
        (
            "drop index package_maintainers_account",
            "no index begins with public.package_maintainers(account_id)",
            "create",
        ),
        (
            "update pg_index set indisvalid = false where indexrelid = 'package_maintainers_account'::regclass",
            "no index begins with public.package_maintainers(account_id)",
            "create",
        ),
        (
            (
                "drop index package_maintainers_account;"
                " create index later on package_maintainers (account_id) where package > 'm'"
            ),
            "no index begins with public.package_maintainers(account_id)",
            "create",
        ),
        ("revoke lapsewatch_reader from lapsewatch_unverifier", "lapsewatch_unverifier lacks the rights", "grant"),
        (
            "revoke select on lapsewatch.sole_address from lapsewatch_reader",
            "lapsewatch_reader may not select lapsewatch.sole_address",
            "run the script again",
        ),
        ("grant select (email) on accounts to public", "lapsewatch_reader may select public.accounts", "public"),
        (
            "grant delete on accounts to lapsewatch_unverifier",
            "lapsewatch_unverifier may delete public.accounts",
            "revoke",
        ),
        (
            "grant create on schema public to public",
            "lapsewatch_unverifier may create in the schema public, which it is not to",
            "everybody (public)",
        ),
        (
            "grant select on lapsewatch.known_address to lapsewatch_unverifier",
            "lapsewatch_unverifier may select lapsewatch.known_address, which it is not to",
            "revoke",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    owner: psycopg.Connection, verify: Verify, change: str, says: str, do: str
) -> None:
    assert problems(verify()) == []
    owner.execute(change)
    try:
        found = [it for it in verify() if it.weight is Weight.PROBLEM]
    finally:
        owner.execute("grant lapsewatch_reader to lapsewatch_unverifier")
    (told, *_) = [it for it in found if says in it.text]
    assert do in told.advice


@pytest.mark.parametrize(
    ("change", "weight", "says"),
    [
        (
            "grant select (email), update (name, email) on accounts to {login}",
            Weight.PROBLEM,
            (
                "{login}, which has been given lapsewatch_reader, may besides select public.accounts (email); update"
                " public.accounts (email, name)"
            ),
        ),
        (
            "create role service; grant delete on accounts to service; grant service to {login}",
            Weight.PROBLEM,
            "{login}, which has been given lapsewatch_reader, may besides delete public.accounts",
        ),
        (
            "grant trigger on accounts to lapsewatch_unverifier",
            Weight.PROBLEM,
            "lapsewatch_unverifier may trigger public.accounts, which it is not to",
        ),
        (
            "grant select (address_digest) on lapsewatch.unverification to lapsewatch_unverifier",
            Weight.PROBLEM,
            "lapsewatch.unverification (address_digest, address_key, checked_at, flags, host, reverified_at), which",
        ),
        (
            "revoke select (flags) on lapsewatch.unverification from lapsewatch_unverifier",
            Weight.PROBLEM,
            "lapsewatch_unverifier may not select lapsewatch.unverification (",
        ),
        (
            "grant execute on function lapsewatch.reverify_address to lapsewatch_unverifier",
            Weight.PROBLEM,
            "lapsewatch_unverifier may execute lapsewatch.reverify_address, which it is not to",
        ),
        (
            "create role helper login; grant lapsewatch_reader to helper",
            Weight.NOTE,
            "lapsewatch_reader has been given to helper and {login}",
        ),
        (
            "create role team; create role helper login in role team; grant lapsewatch_unverifier to team",
            Weight.NOTE,
            "lapsewatch_unverifier has been given to helper and lapsewatch_unverifies and team",
        ),
        (
            "create role helper superuser; grant lapsewatch_reader to helper",
            Weight.NOTE,
            "helper, which has been given a role of Lapsewatch's, is a superuser, and may do everything",
        ),
        (
            "create role service; grant insert (host), delete on lapsewatch.unverification to service",
            Weight.PROBLEM,
            "service may delete lapsewatch.unverification; insert lapsewatch.unverification (host): what",
        ),
        (
            "grant execute on function lapsewatch.unverify_address to public",
            Weight.PROBLEM,
            "everybody (public) may execute lapsewatch.unverify_address: what",
        ),
        (
            "create role service; grant create on schema lapsewatch to service",
            Weight.PROBLEM,
            "service may create in the schema lapsewatch: what",
        ),
        (
            (
                "create role service; grant create on schema lapsewatch to service;"
                " alter view lapsewatch.account owner to service; revoke create on schema lapsewatch from service"
            ),
            Weight.PROBLEM,
            "service may alter lapsewatch.account: what",
        ),
        (
            "create role service; grant select on lapsewatch.known_address, lapsewatch.account to service",
            Weight.NOTE,
            "service may select lapsewatch.account, lapsewatch.known_address",
        ),
    ],
)
def test_who_else_may_do_something_is_said(
    owner: psycopg.Connection, verify: Verify, change: str, weight: Weight, says: str
) -> None:
    before = verify()
    assert problems(before) == []
    assert "nobody else has been granted anything of Lapsewatch's" in [it.text for it in before]
    owner.execute(change.format(login=privileges.READER))
    try:
        told = [it for it in verify() if says.format(login=privileges.READER) in it.text]
    finally:
        for (role,) in owner.execute("select rolname from pg_roles where rolname in ('helper', 'team', 'service')"):
            owner.execute(f"reassign owned by {role} to current_user; drop owned by {role}; drop role {role}")
    assert [it.weight for it in told] == [weight]
    assert told[0].advice


def test_what_hangs_on_a_missing_script_or_table_is_not_listed_too(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute("drop schema lapsewatch cascade")
    assert problems(verify()) == ["the schema lapsewatch is not there, or this login may not see it"]
    owner.execute("drop table package_maintainers")
    assert problems(verify())[:-1] == ["there is no table public.package_maintainers, or this login may not see it"]


def test_a_type_may_be_declared_by_another_of_its_names(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute("create table public.stock (id int, seen_at timestamptz, made_at timestamp, is_left bool)")
    declared = {"id": "integer", "seen_at": "timestamptz", "made_at": "timestamp", "is_left": "bool"}
    profile = replace(load_profile("generic"), tables={"public.stock": declared}, indexes=())
    assert problems(verify(profile=profile)) == []
    profile = replace(profile, tables={"public.stock": declared | {"seen_at": "timestamp"}})
    assert problems(verify(profile=profile)) == ["public.stock.seen_at is timestamp with time zone, and not timestamp"]


@pytest.mark.parametrize(
    ("view", "change", "says"),
    [
        ("account", "select it.* from ({old}) as it, generate_series(1, 3)", "2 rows of lapsewatch.account without"),
        ("known_address", "{old} union all {old}", "1 row of lapsewatch.known_address without a key, or with the key"),
        (
            "known_address",
            (
                "select address_key, account_key, email, is_primary, nullif(is_verified, is_verified) as is_verified,"
                " verified_at, was from ({old}) as it"
            ),
            "1 row of lapsewatch.known_address where is_verified is null",
        ),
    ],
)
def test_a_view_that_multiplies_rows_or_leaves_open_what_is_verified_is_found(
    owner: psycopg.Connection, verify: Verify, view: str, change: str, says: str
) -> None:
    owner.execute("insert into accounts (name, email, email_verified) values ('a', 'a@lapsed.com', true)")
    assert problems(verify()) == []
    ((old,),) = owner.execute("select trim(trailing ';' from pg_get_viewdef(%s::regclass))", [f"lapsewatch.{view}"])
    owner.execute(f"create or replace view lapsewatch.{view} as {change.format(old=old)}")
    (told,) = [it for it in verify() if it.weight is Weight.PROBLEM]
    assert says in told.text
    assert "grants.sql" in told.advice


def test_a_superuser_that_has_been_given_a_role_is_no_list_of_privileges(
    owner: psycopg.Connection, verify: Verify
) -> None:
    owner.execute("create role helper superuser; grant lapsewatch_reader to helper")
    try:
        assert problems(verify()) == []
    finally:
        owner.execute("drop role helper")


def test_rows_that_row_level_security_hides_are_noticed(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute("alter table accounts enable row level security")
    assert problems(verify()) == []  # a superuser's views see all
    owner.execute("create role keeps_the_views")
    try:
        owner.execute("grant usage, create on schema lapsewatch to keeps_the_views")
        owner.execute("alter view lapsewatch.verified_email owner to keeps_the_views")
        (told,) = [it for it in verify() if "row level security" in it.text]
        assert told.weight is Weight.PROBLEM
        assert "public.accounts hides rows from keeps_the_views" in told.text
        owner.execute("alter role keeps_the_views bypassrls")
        assert not [it for it in verify() if "row level security" in it.text]
    finally:
        owner.execute("drop owned by keeps_the_views cascade; drop role keeps_the_views")


@pytest.mark.parametrize("login", privileges.GROUPS)
def test_a_login_of_lapsewatchs_own_sees_all_but_what_it_has_no_right_to(
    owner: psycopg.Connection, verify: Verify, login: str
) -> None:
    found = verify(login)
    assert problems(found) == []
    refused = {it.text.partition(":")[0] for it in found if "no right" in it.text}
    unverifiers = set(STATEMENTS) - {"select_hosts", "select_accounts"}
    of_unverifier = set() if login == privileges.UNVERIFIER else {f"the plan of {name}" for name in unverifiers}
    assert refused == {"the profile's views"} | of_unverifier


def test_views_whose_owner_has_lost_its_rights_are_a_problem(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute("create role keeps_the_views")
    try:
        owner.execute("grant usage, create on schema lapsewatch to keeps_the_views")
        owner.execute("alter view lapsewatch.verified_email owner to keeps_the_views")
        for login in privileges.GROUPS:
            assert "select_hosts: this login has no right to" in problems(verify(login))
    finally:
        owner.execute("drop owned by keeps_the_views cascade; drop role keeps_the_views")


def test_a_count_that_takes_too_long_is_ended(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute(
        "create or replace view lapsewatch.verified_email with (security_barrier) as"
        " select pg_sleep(60)::text as host, 1 as at_sign_count, false as is_quoted"
    )
    (told,) = [it for it in verify(timeout=0.3) if it.weight is Weight.PROBLEM]
    assert told.text == "select_hosts: it took longer than 0.3 seconds, and was ended"
    assert "--timeout" in told.advice


def test_a_table_without_an_index_is_read_for_each_key(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute(
        "insert into accounts (name, email, email_verified)"
        " select n, n || '@host.example', true from generate_series(1, 30000) as n"
    )
    owner.execute("analyze accounts")
    assert notes(verify()) == []
    owner.execute("alter table package_maintainers drop constraint package_maintainers_account_id_fkey")
    owner.execute("alter table accounts drop constraint accounts_pkey")
    slow = [it.text for it in verify() if it.weight is Weight.NOTE]
    assert any(it.startswith("select_recipients looks up keys, and would read public.accounts") for it in slow)


def test_types_that_do_the_same_work_are_no_problem(owner: psycopg.Connection, verify: Verify) -> None:
    profile = load_profile("generic")
    tables = profile.tables | {"public.accounts": {"id": "integer", "email": "character varying", "deleted_at": "text"}}
    assert problems(verify(profile=replace(profile, tables=tables)))[0] == (
        "public.accounts.deleted_at is timestamp with time zone, and not text"
    )


def test_nothing_is_changed(owner: psycopg.Connection, verify: Verify) -> None:
    def everything() -> list[tuple[object, ...]]:
        query = """
            select 'row', to_jsonb(it)::text from accounts as it
            union all select 'relation', c.oid || c.relname || coalesce(c.relacl::text, '') from pg_class as c
            where relnamespace in ('lapsewatch'::regnamespace, 'public'::regnamespace)
            union all select 'function', p.oid || p.proname || coalesce(p.proacl::text, '') from pg_proc as p
            where pronamespace = 'lapsewatch'::regnamespace
            union all select 'ledger', to_jsonb(it)::text from lapsewatch.unverification as it
            order by 1, 2
        """
        return owner.execute(query).fetchall()

    owner.execute("insert into accounts (name, email, email_verified) values ('a', 'a@host.example', true)")
    before = everything()
    verify()
    assert everything() == before


def test_it_reads_in_read_only_transactions(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute(
        "create table public.written (id integer);"
        "create function write() returns text language sql as"
        " 'insert into public.written values (1) returning id::text';"
        "create or replace view lapsewatch.verified_email with (security_barrier) as"
        " select write() as host, 1 as at_sign_count, false as is_quoted"
    )
    assert "select_hosts: the database refused it (25006)" in problems(verify())
    assert owner.execute("select count(*) from public.written").fetchone() == (0,)


def test_a_superuser_runs_nothing_that_others_made(owner: psycopg.Connection, verify: Verify) -> None:
    """A read-only transaction would not keep a superuser from `copy ... to program`."""
    owner.execute("create role stranger")
    try:
        owner.execute(
            "grant create on schema lapsewatch to stranger;"
            "create function public.run() returns text language plpgsql as $$ begin raise exception 'it ran'; end $$;"
            "create or replace view lapsewatch.verified_email with (security_barrier) as"
            " select public.run() as host, 1 as at_sign_count, false as is_quoted;"
            "alter view lapsewatch.verified_email owner to stranger; revoke create on schema lapsewatch from stranger"
        )
        found = verify()
        assert not [it.text for it in found if "select_" in it.text]
        (told,) = [it for it in found if "plans and hosts are not looked at" in it.text]
        assert told.weight is Weight.NOTE
        assert "what stranger put into" in told.text
        assert "ask again as a member of" in told.advice
        # A login of Lapsewatch's own has nothing that is worth it.
        assert "select_hosts: the database refused it (P0001)" in problems(verify(privileges.READER))
    finally:
        owner.execute("drop owned by stranger cascade; drop role stranger")


def test_what_a_login_may_not_even_ask_is_told_and_nothing_is_concluded_from_it(
    owner: psycopg.Connection, verify: Verify
) -> None:
    owner.execute("revoke select on pg_catalog.pg_namespace from public")
    found = verify(privileges.UNVERIFIER)
    assert "the script: not seen, this login has no right to" in notes(found)
    assert problems(found) == []


def test_what_cannot_be_reached_is_told_without_a_word_of_the_drivers(postgres_server: postgres.Server) -> None:
    engine = sqlalchemy_engine(postgres_server.url("nowhere"))
    with pytest.raises(Unavailable) as raised:
        list(look_at(engine, load_profile("generic"), timeout=5))
    assert raised.value.__cause__ is None
    assert "nowhere" not in str(raised.value)
    engine.dispose()


def test_an_error_of_the_databases_is_not_repeated(owner: psycopg.Connection, verify: Verify) -> None:
    owner.execute(
        "create function burst() returns text language plpgsql as"
        " $$ begin raise exception 'secretive@lapsed.com'; end $$;"
        "create or replace view lapsewatch.verified_email with (security_barrier) as"
        " select burst() as host, 1 as at_sign_count, false as is_quoted"
    )
    found = verify()
    assert "select_hosts: the database refused it (P0001)" in problems(found)
    assert "lapsed" not in str(found)
