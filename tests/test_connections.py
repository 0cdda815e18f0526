import json
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from lapsewatch import connections
from lapsewatch.clients.dns import Resolver
from lapsewatch.clients.rdap_bootstrap import IANA_URL
from lapsewatch.clients.turns import Paces, ServerPace
from lapsewatch.core.errors import BudgetSpent, SetupError, Unavailable
from lapsewatch.core.evidence import DnsOutcome, RdapOutcome
from lapsewatch.user_databases.database import UserDatabase, UserDatabaseError
from sqlalchemy import Engine, text

from local import privileges
from tests.conftest import API_KEY, LAPSED, SimulatedInternet
from tests.contracts.test_status_clients import ask
from tests.e2e.conftest import connection_json


def set_connection(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


@pytest.mark.parametrize("name", ["fastly", "domainr"])
def test_a_status_api_is_asked_where_the_connection_says(
    name: str, internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"requests_per_second": 7, "max_in_flight": 3}
    set_connection(monkeypatch, f"{name}_api", conn_type="http", host=internet.url, password=API_KEY, extra=extra)
    with connections.status_api(name) as api:
        assert api.client.name == name
        assert {domain for domain in LAPSED if ask(api.client, domain).flags} == LAPSED


def test_host_and_port_make_a_base_url_too(internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(internet.url.rsplit(":", 1)[1])
    set_connection(
        monkeypatch, "fastly_api", conn_type="http", host="127.0.0.1", port=port, schema="http", password=API_KEY
    )
    with connections.status_api("fastly") as api:
        assert ask(api.client, "alive.com").flags


def test_an_api_connection_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "fastly_api", conn_type="http")
    with pytest.raises(SetupError, match="has no password"), connections.status_api("fastly"):
        pass


@pytest.mark.parametrize(
    "extra",
    [
        {"requests_per_second": 0},
        {"requests_per_second": 1e-300},
        {"requests_per_second": "nan"},
        {"requests_per_second": "inf"},
        {"requests_per_second": []},
        {"max_in_flight": "many"},
        {"max_in_flight": -1},
        {"max_in_flight": 10**9},
    ],
)
def test_an_unusable_pace_is_refused(extra: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "fastly_api", conn_type="http", password="key", extra=extra)
    with pytest.raises(SetupError, match="not usable"), connections.status_api("fastly"):
        pass


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "many", "100", 10**12])
def test_an_unusable_number_of_calls_is_refused(limit: object, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"calls_per_month": limit}
    set_connection(monkeypatch, "fastly_api", conn_type="http", password="key", extra=extra)
    with pytest.raises(SetupError, match="'calls_per_month' is a whole number"), connections.status_api("fastly"):
        pass


@pytest.mark.parametrize("limit", [{}, {"calls_per_day": None}])
def test_without_a_number_of_calls_there_is_no_limit(limit: dict[str, None], monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "fastly_api", conn_type="http", password="key", extra=limit)
    with connections.status_api("fastly") as api:
        assert api.budget.reserve(1, 0).count == 1


def test_what_the_extra_allows_is_allowed_to_all_that_call_for_runs(
    status: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"requests_per_second": 100, "max_in_flight": 3, "calls_per_day": 25, "calls_per_month": 26}
    set_connection(monkeypatch, "fastly_api", conn_type="http", password="key", extra=extra)
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(connections.status_api("fastly", connections.Calling(status, run_id))).budget
            for run_id in ("first", "second")
        )
        granted = first.reserve(100, 0)
        assert (granted.count, granted.max_in_flight) == (25, 3)
        assert second.reserve(100, 0).max_in_flight == 0
        first.leave(0)
        with pytest.raises(BudgetSpent):
            second.reserve(100, 0)


def test_a_run_may_have_a_rate_of_its_own(status: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"requests_per_second": 100}
    set_connection(monkeypatch, "fastly_api", conn_type="http", password="key", extra=extra)
    calling = connections.Calling(status, "first", is_backfill=True, rate=2.0)
    with connections.status_api("fastly", calling) as api:
        assert api.budget.reserve(100, 0).seconds_between == pytest.approx(0.5)


@pytest.mark.parametrize("password", ["two words", "trailing\n", "schlüssel"])
def test_a_key_that_cannot_travel_in_a_header_is_refused(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "fastly_api", conn_type="http", password=password)
    with pytest.raises(SetupError, match="blanks or foreign letters") as raised, connections.status_api("fastly"):
        pass
    assert password not in str(raised.value)


def test_what_airflows_hooks_say_in_the_extra_is_left_to_them(
    status: Engine, status_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json(status_url, cursor="dictcursor"))
    with connections.status_database() as engine, engine.connect() as connection:
        assert connection.scalar(text("select 1")) == 1


def test_a_missing_connection_says_how_to_add_it() -> None:
    with pytest.raises(SetupError, match="AIRFLOW_CONN_USER_DB"), connections.user_database():
        pass


def test_an_unknown_profile_names_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "user_db", conn_type="postgres", extra={"profile": "myspace"})
    with pytest.raises(SetupError, match=r"there are: .*\bpypi\b"), connections.user_database():
        pass


def logged_in(users: UserDatabase) -> str | None:
    return users._engine.url.username


def test_who_unverifies_logs_in_by_a_connection_of_its_own_where_there_is_one(
    reader_url: str, unverifier_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(reader_url, profile="pypi"))
    with connections.user_database() as users:
        assert (logged_in(users), list(users.hosts())) == (privileges.READER, [])
    with connections.unverifying_user_database() as users:
        assert logged_in(users) == privileges.READER
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB_UNVERIFIER", connection_json(unverifier_url))
    with connections.unverifying_user_database() as users:
        assert (logged_in(users), users.unverify([])) == (privileges.UNVERIFIER, set())
    with connections.user_database() as users:
        assert logged_in(users) == privileges.READER


def test_the_profile_of_who_unverifies_is_that_of_who_reads_unless_it_says_otherwise(
    unverifier_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connection(monkeypatch, "user_db", conn_type="postgres", extra={"profile": "myspace"})
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB_UNVERIFIER", connection_json(unverifier_url))
    with pytest.raises(SetupError, match="'myspace'"), connections.unverifying_user_database():
        pass
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB_UNVERIFIER", connection_json(unverifier_url, profile="pypi"))
    with connections.unverifying_user_database() as users:
        assert users.unverify([]) == set()


def test_where_lapses_are_only_reported_nothing_is_unverified(
    unverifier_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(unverifier_url, profile="devise"))
    with connections.unverifying_user_database() as users:
        with pytest.raises(SetupError, match="it does not stop a password reset there, and it locks the owner out"):
            users.require_unverifying()
        with pytest.raises(SetupError):
            users.unverify([])
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(unverifier_url, profile="pypi", on_lapse="report"))
    with connections.unverifying_user_database() as users:
        with pytest.raises(SetupError):
            users.unverify([])
        assert users.reverify([]) == set()
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB_UNVERIFIER", connection_json(unverifier_url, on_lapse="unverify"))
    with connections.unverifying_user_database() as users:
        assert users.unverify([]) == set()


@pytest.mark.parametrize(
    ("extra", "wrong"),
    [
        ({"on_lapse": "delete"}, "'on_lapse' is"),
        ({"on_lapse": True}, "'on_lapse' is"),
        ({"statement_timeout": 0}, "'statement_timeout' is"),
        ({"statement_timeout": "60"}, "'statement_timeout' is"),
        ({"statement_timeout": True}, "'statement_timeout' is"),
        ({"statement_timeout": 1e9}, "'statement_timeout' is"),
    ],
)
def test_what_the_extra_of_a_user_database_may_not_say(
    extra: dict[str, object], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connection(monkeypatch, "user_db", conn_type="postgres", extra=extra)
    with pytest.raises(SetupError, match=wrong), connections.user_database():
        pass


@pytest.mark.parametrize(("extra", "expected"), [({}, "30min"), ({"statement_timeout": 120}, "2min"), (None, "0")])
def test_statements_end_when_the_extra_says(
    reader_url: str, extra: dict[str, int] | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout = {"statement_timeout": None} if extra is None else extra
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(reader_url, **timeout))
    query = text("select current_setting('statement_timeout'), current_setting('application_name')")
    with connections.user_database() as users, users._reading() as connection:
        assert tuple(connection.execute(query).one()) == (expected, "lapsewatch")


def test_a_statement_that_takes_too_long_is_ended_and_says_what_to_do(
    user_url: str, reader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute("drop view lapsewatch.verified_email")
        slow = "select pg_sleep(30)::text as host, 1 as at_sign_count, false as is_quoted"
        connection.execute(f"create view lapsewatch.verified_email as {slow}")
        connection.execute("grant select on lapsewatch.verified_email to lapsewatch_reader")
    monkeypatch.setenv("AIRFLOW_CONN_USER_DB", connection_json(reader_url, statement_timeout=1))
    with (
        pytest.raises(UserDatabaseError, match=r"after 1\.0 seconds at the latest: 'statement_timeout' in the extra"),
        connections.user_database() as users,
    ):
        list(users.hosts())


def test_a_profile_is_for_one_kind_of_database(monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "user_db", conn_type="mysql", host="127.0.0.1", extra={"profile": "pypi"})
    with pytest.raises(SetupError, match="'mysql': only postgres, postgresql can be used"), connections.user_database():
        pass


def test_another_kind_of_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(monkeypatch, "status_db", conn_type="oracle", host="127.0.0.1")
    with pytest.raises(SetupError, match="'oracle'"):
        connections.status_engine()


def test_a_status_database_that_is_away_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    set_connection(
        monkeypatch, "status_db", conn_type="postgres", host="127.0.0.1", port=9, login="me", password="pass-word"
    )
    with pytest.raises(Unavailable, match="'status_db'") as raised, connections.status_database():
        pass
    assert "pass-word" not in str(raised.value)


def test_options_of_the_connection_reach_the_driver(
    status: Engine, status_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json(status_url, options="-c statement_timeout=4711"))
    with connections.status_database() as engine, engine.connect() as connection:
        assert connection.scalar(text("show statement_timeout")) == "4711ms"


def test_a_lost_workers_sessions_end_in_half_a_minute_whatever_else_the_connection_says(
    status: Engine, status_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json(status_url, options="-c work_mem=7MB"))
    with connections.status_database() as engine, engine.connect() as first, engine.connect() as second:
        first.rollback()
        for session in (first, second):
            assert [session.scalar(text(f"show {name}")) for name in names] == ["10", "5", "3", "30000"]
            assert session.scalar(text("show work_mem")) == "7MB"


def test_an_unmigrated_status_database_says_what_to_run(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json(empty_database_url))
    with pytest.raises(SetupError, match=r"alembic -c .* upgrade head"), connections.status_database():
        pass


def test_without_connections_the_witnesses_are_iana_a_safe_pace_and_the_systems_resolvers() -> None:
    settings = connections.witness_settings()
    assert (settings.bootstrap_url, settings.servers, settings.resolvers) == (IANA_URL, {}, ())
    assert settings.paces.of("rdap.example") == ServerPace(requests_per_second=1.0, max_in_flight=2)


def test_the_connections_say_whom_to_ask_and_how_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {
        "requests_per_second": 3,
        "servers": {"io": "https://rdap.example/"},
        "hosts": {"rdap.slow.example": {"requests_per_second": 0.2}},
    }
    set_connection(monkeypatch, "rdap", conn_type="http", host="https://list.example/dns.json", extra=extra)
    set_connection(monkeypatch, "dns", conn_type="generic", host="192.0.2.53", port=5353)
    settings = connections.witness_settings()
    assert settings.bootstrap_url == "https://list.example/dns.json"
    assert settings.servers == {"io": "https://rdap.example/"}
    assert settings.paces == Paces(ServerPace(3, 2), {"rdap.slow.example": ServerPace(0.2, 2)})
    assert settings.resolvers == (Resolver("192.0.2.53", 5353),)


@pytest.mark.parametrize(
    ("name", "fields", "trouble"),
    [
        (
            "rdap",
            {"extra": {"servers": ["io"]}},
            "'servers' of the extra of the Airflow connection 'rdap' is not a JSON",
        ),
        ("rdap", {"extra": {"hosts": {"a": 1}}}, "'a' of 'hosts' of the extra"),
        ("rdap", {"extra": {"requests_per_second": 0}}, "'requests_per_second' is a number"),
        ("rdap", {"extra": {"hosts": {"a": {"max_in_flight": 0}}}}, "'max_in_flight' one up to"),
        ("dns", {"host": "not a host"}, "'dns' is no IP address and no known name"),
    ],
)
def test_a_connection_of_a_witness_that_is_not_usable_says_why(
    monkeypatch: pytest.MonkeyPatch, name: str, fields: dict[str, Any], trouble: str
) -> None:
    set_connection(monkeypatch, name, conn_type="http", **fields)
    with pytest.raises(SetupError, match=trouble):
        connections.witness_settings()


def test_witnesses_are_asked_where_the_connections_say(
    status: Engine, internet: SimulatedInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connection(monkeypatch, "rdap", conn_type="http", host=f"{internet.url}/rdap/dns.json")
    set_connection(monkeypatch, "dns", conn_type="generic", host=internet.dns[0], port=internet.dns[1])
    with connections.witnesses(status) as witnesses:
        assert witnesses.registry("redeemable.org").status == ("redemption period", "pending delete")
        assert witnesses.registry("deleted.io").outcome is RdapOutcome.NO_EVIDENCE
        assert witnesses.dns.reading("redeemable.org", []).outcome is DnsOutcome.NOT_DELEGATED
    with status.connect() as connection:
        assert connection.scalar(text("select count(*) from lapsewatch.rdap_server")) == 1
        assert connection.scalar(text("select count(*) from lapsewatch.rdap_bootstrap")) == 1


WEBHOOK = {"conn_type": "http", "host": "https://receiver.example/hook", "password": f"whsec_{'QUFB' * 8}"}


def test_without_a_connection_there_is_no_webhook() -> None:
    with connections.notification_webhook() as webhook:
        assert webhook is None


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({}, "https://receiver.example/hook"),
        ({"host": " https://receiver.example/hook\n"}, "https://receiver.example/hook"),
        ({"host": "receiver.example/hook"}, "https://receiver.example/hook"),
        ({"host": "receiver.example", "schema": "http", "port": 8443}, "http://receiver.example:8443"),
        ({"host": "https://receiver.example/", "port": 8443}, "https://receiver.example:8443"),
        ({"host": "https://[::1]:8443/hook?by=us"}, "https://[::1]:8443/hook?by=us"),
    ],
)
def test_a_webhook_is_where_the_connection_says(
    said: dict[str, str | int], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connection(monkeypatch, "notification_webhook", **WEBHOOK | said)
    with connections.notification_webhook() as webhook:
        assert (webhook._url, webhook._key) == (url, b"A" * 24)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": None},
        {"password": "QUFB" * 8},
        {"password": "whsec_tooshort"},
        {"host": None},
        {"host": "ftp://receiver.example/hook"},
        {"host": "https:///hook"},
        {"host": "https://[::1/hook"},
        {"host": "https://receiver.example:99999/hook"},
        {"host": "https://receiver.example:port/hook"},
        {"host": "https://receiver.example:0/hook"},
        {"host": "https://receiver .example/hook"},
        {"host": "https://receiver.example/\thook"},
        {"port": 8443},
        {"host": "https://receiver.example:8443", "port": 8443},
    ],
)
def test_an_unusable_webhook_is_refused_and_its_secret_is_not_told(
    wrong: dict[str, str | int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connection(monkeypatch, "notification_webhook", **WEBHOOK | wrong)
    with pytest.raises(SetupError, match="notification_webhook") as raised, connections.notification_webhook():
        pass
    assert "QUFB" not in str(raised.value)
    assert "tooshort" not in str(raised.value)
