"""How statements are sent: who we are, for how long, and read only where they read. The same for every profile."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from lapsewatch import connections
from lapsewatch.user_databases.database import JudgedAddress, SuspectHost, UserDatabase, UserDatabaseError

from local import postgres, privileges
from tests.contracts.profiles.system import CHECKED_AT, System
from tests.e2e.conftest import connection_json

Read = Callable[[UserDatabase, list[JudgedAddress]], object]

READS: dict[str, Read] = {
    "hosts": lambda users, _: list(users.hosts()),
    "addresses_on": lambda users, judged: list(
        users.addresses_on([SuspectHost(judged[0].host, CHECKED_AT, unknown_too=True)])
    ),
    "sole_addresses": lambda users, _: list(users.sole_addresses()),
    "accounts_of": lambda users, judged: list(users.accounts_of([judged[0].address_key])),
    "unverified": lambda users, judged: users.unverified(judged),
    "standings": lambda users, judged: users.standings(judged),
}
CHANGES: dict[str, Read] = {
    "unverify": lambda users, judged: users.unverify(judged),
    "reverify": lambda users, judged: users.reverify(judged),
}


@pytest.fixture
def connected(
    system: System, postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UserDatabase]:
    """The user database of the Airflow connection, but that statements end after a twentieth of a second."""
    url = postgres_server.url("contract", privileges.UNVERIFIER)
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(url, profile=system.name))
    with connections.user_database() as users:
        yield UserDatabase(users._engine, system.profile, timeout=0.05, on_lapse="unverify")


def test_each_statement_ends_in_time_and_says_whose_it_is(
    system: System, connected: UserDatabase, postgres_server: postgres.Server
) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    system.add("b@lapsed.com")
    before = system.rows()
    ledger = ["lapsewatch.unverification"] if system.profile.evidence == "ledger" else []
    with psycopg.connect(postgres_server.url("contract")) as theirs:
        theirs.execute(f"lock table {', '.join([*system.tables(), *ledger])}")
        for act in (READS | CHANGES).values():
            with pytest.raises(UserDatabaseError, match=r"was ended by the user database, after 0\.05 seconds"):
                act(connected, judged)
    names = "select string_agg(distinct application_name, ' ') from pg_stat_activity where usename = '{}'"
    assert "lapsewatch" in system.execute(names.format(privileges.UNVERIFIER)).split()
    assert system.rows() == before


def test_what_only_reads_may_not_write(system: System) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    system.add("b@lapsed.com")
    system.execute(
        "create table public.written (id integer);"
        "create function public.write() returns boolean language sql security definer as"
        " 'insert into public.written values (1) returning true'"
    )
    read = [
        name
        for (name,) in system.connection.execute(
            "select relname from pg_class where relnamespace = 'lapsewatch'::regnamespace and relkind in ('r', 'v')"
            " and has_any_column_privilege('lapsewatch_unverifier', oid, 'select')"
        )
    ]
    for name in read:
        system.execute(
            f"alter table lapsewatch.{name} rename to {name}_itself;"
            f"create view lapsewatch.{name} as select * from lapsewatch.{name}_itself where public.write();"
            f"grant select on lapsewatch.{name} to lapsewatch_reader, lapsewatch_unverifier"
        )
    for act in READS.values():
        with pytest.raises(UserDatabaseError, match="ReadOnlySqlTransaction"):
            act(system.users, judged)
    assert system.execute("select count(*) from public.written") == 0
