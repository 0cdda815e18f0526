"""A user database on MariaDB as Airflow's connection names it."""

import json

import pytest
from lapsewatch import connections
from lapsewatch.core.errors import SetupError, Unavailable
from lapsewatch.user_databases.database import UserDatabase, UserDatabaseError
from lapsewatch.user_databases.profile import load_profile
from lapsewatch.user_databases.verification.looks import look_at
from sqlalchemy import create_engine, text

from local import mariadb, privileges
from tests.contracts.profiles.mariadb.conftest import login_url
from tests.contracts.profiles.system import System


def tell_airflow(monkeypatch: pytest.MonkeyPatch, server: mariadb.Server, **fields: object) -> None:
    connection = {
        "conn_type": "mysql",
        "host": "127.0.0.1",
        "port": server.port,
        "login": privileges.READER,
        "password": server.password,
        "schema": "lapsewatch",
        "extra": {"profile": "packagist", "statement_timeout": 60, "charset": "latin1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", json.dumps(connection | fields))


def test_it_is_reached_and_told_who_we_are(
    system: System, mariadb_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.add("a@münchen.example")
    tell_airflow(monkeypatch, mariadb_server)
    with connections.user_database() as users:
        assert [it.host for it in users.hosts()] == ["münchen.example"]
        with users._reading() as connection:
            assert connection.scalar(text("select @@max_statement_time")) == 60
            told = (
                "select attr_value from performance_schema.session_connect_attrs"
                " where attr_name = 'program_name' and processlist_id = %(us)s"
            )
            assert system.execute(told, us=connection.scalar(text("select connection_id()"))) == "lapsewatch"


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"password": "wróńg"}, {"port": 1}, {"host": "host..example"}]
)
def test_what_cannot_be_reached_is_told_without_a_word_of_the_drivers(
    system: System, mariadb_server: mariadb.Server, wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_airflow(monkeypatch, mariadb_server, **wrong)
    with pytest.raises(Unavailable) as raised, connections.user_database() as users:
        list(users.hosts())
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_refusal_quotes_no_row(system: System, mariadb_server: mariadb.Server) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    mariadb_server.run(
        "create trigger refuse before update on fos_user for each row"
        " signal sqlstate '45000' set message_text = 'a@lapsed.com';",
        "service",
    )
    with pytest.raises(UserDatabaseError, match="1644") as raised:
        system.users.unverify(judged)
    assert "lapsed.com" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert system.counts() == {"lapsed.com": 1}


def test_a_list_of_more_than_a_megabyte_is_not_cut_off(system: System) -> None:
    """An account with ten thousand addresses, such as a system may have that lets an account have several."""
    system.execute(
        "create or replace view lapsewatch.known_address as"
        " select seq as address_key, 1 as account_key, concat('a@', repeat('h', 100), seq, '.example') as email,"
        " true as is_primary, true as is_verified, cast(null as datetime(6)) as verified_at, json_object() as was"
        " from seq_1_to_10000"
    )
    (account,) = system.users.accounts_of(["1"])
    assert len(account.others) == 9_999


def test_a_server_of_mysqls_own_is_told_apart_and_nothing_is_asked_of_it() -> None:
    # SQLAlchemy knows the two apart by the version that the server names; of newer ones it asks what MariaDB lacks.
    with mariadb.running("--version=5.7.19") as server:
        engine = create_engine(login_url(server, "root").replace("/lapsewatch?", "/?"))
        users = UserDatabase(engine, load_profile("packagist"))
        with pytest.raises(SetupError, match="MySQL's own server"):
            list(users.hosts())
        with pytest.raises(SetupError, match="MySQL's own server"):
            list(look_at(engine, load_profile("packagist"), timeout=5))
        engine.dispose()
