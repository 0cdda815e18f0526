"""The only reader of Airflow Connections.

They are `user_db`, `user_db_unverifier`, `status_db`, `fastly_api`, `domainr_api`, `rdap`, `dns` and
`notification_webhook`.
"""

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from lapsewatch.clients import domainr, fastly
from lapsewatch.clients.budget import CallBudget, MemoryCallBudget
from lapsewatch.clients.dns import Resolver
from lapsewatch.clients.domainr import DomainrClient
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.clients.turns import Paces, ServerPace
from lapsewatch.clients.webhook import Webhook, signing_key
from lapsewatch.clients.witnesses import Witnesses, WitnessSettings, open_witnesses
from lapsewatch.core.call_budget import Allowance
from lapsewatch.core.errors import SetupError
from lapsewatch.status_database.call_budget import SharedCallBudget
from lapsewatch.status_database.rdap_bootstrap import StoredBootstrap
from lapsewatch.status_database.schema import require_current_schema
from lapsewatch.status_database.statements import statement
from lapsewatch.status_database.turns import SharedTurnBook
from lapsewatch.user_databases.database import STATEMENT_TIMEOUT, UserDatabase
from lapsewatch.user_databases.dialect import dialect_named
from lapsewatch.user_databases.profile import load_profile

DIALECTS = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mariadb", "mariadb": "mariadb"}
"""Of connection types."""

PaceKind = TypeVar("PaceKind", ServerPace, Allowance)

MIN_REQUESTS_PER_SECOND = 0.001
MAX_REQUESTS_PER_SECOND = 10_000
MAX_IN_FLIGHT = 512
MAX_CALLS = 1_000_000_000
MAX_TIMEOUT = 86_400
CLIENTS: dict[str, tuple[Callable[[HttpSession, str, str], StatusClient], str]] = {
    "fastly": (FastlyClient, fastly.BASE_URL),
    "domainr": (DomainrClient, domainr.BASE_URL),
}


def status_engine() -> Engine:
    """Return an engine on the status database, whatever its schema. Raises SetupError without a connection."""
    engine = _engine(_connection("status_db", "the database that Lapsewatch keeps its findings in"), "postgresql")
    event.listen(engine, "connect", _notice_lost_workers)
    return engine


def _notice_lost_workers(connection: DBAPIConnection, _: object) -> None:
    """Have PostgreSQL drop a session whose machine is gone: it may hold locks that other workers wait for.

    By a statement, as poolers let through no such options of a connection.
    """
    cursor = connection.cursor()
    cursor.execute(statement("notice_lost_workers").text)
    cursor.close()
    connection.commit()


@contextmanager
def status_database() -> Iterator[Engine]:
    """Open the status database. Raises SetupError where it can't be reached or lacks a migration."""
    engine = status_engine()
    try:
        require_current_schema(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def user_database() -> Iterator[UserDatabase]:
    """Open the user database to read, with the profile that the extra of the connection `user_db` names."""
    with _user_database(_user_db()) as users:
        yield users


@contextmanager
def unverifying_user_database() -> Iterator[UserDatabase]:
    """Open the user database to change verifications: the connection `user_db_unverifier`, else `user_db`.

    The profile is that of `user_db` unless the connection's own extra names one.
    """
    connection = _optional_connection("user_db_unverifier")
    with _user_database(connection or _user_db()) as users:
        yield users


def _user_db() -> Connection:
    return _connection("user_db", "the database that holds the users' addresses")


@contextmanager
def _user_database(connection: Connection) -> Iterator[UserDatabase]:
    """Open with the `profile`, `on_lapse` and `statement_timeout` of the connection's extra, else of `user_db`'s.

    The timeout is in seconds; null leaves it to the server.
    """
    extra = _extra(_user_db()) | _extra(connection)
    profile = load_profile(str(extra.get("profile", "pypi")))
    on_lapse = extra.get("on_lapse")
    if on_lapse not in {None, "unverify", "report"}:
        raise SetupError(
            "the extra of the Airflow connection 'user_db' is not usable: 'on_lapse' is 'unverify' or 'report'"
        )
    timeout = _statement_timeout(connection, extra)
    engine = _engine(connection, profile.dialect)
    try:
        yield UserDatabase(engine, profile, timeout=timeout, on_lapse=on_lapse)
    finally:
        engine.dispose()


def _statement_timeout(connection: Connection, extra: Mapping[str, Any]) -> float | None:
    seconds = extra.get("statement_timeout", STATEMENT_TIMEOUT)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= MAX_TIMEOUT:
        raise SetupError(
            f"the extra of the Airflow connection '{connection.conn_id}' is not usable: 'statement_timeout' is a number"
            f" of seconds from 1 to {MAX_TIMEOUT}, or null for the server's own"
        )
    return float(seconds)


@dataclass(frozen=True, slots=True)
class StatusApi:
    """A status API ready to be asked, and the budget that says how hard."""

    client: StatusClient
    budget: CallBudget


@dataclass(frozen=True, slots=True)
class Calling:
    """The run that a status API is called for: all callers share the budget in the status database.

    `rate` is the run's own cap in calls a second; None is none.
    """

    status: Engine
    run_id: str
    is_backfill: bool = False
    rate: float | None = None


@contextmanager
def status_api(name: str, calling: Calling | None = None) -> Iterator[StatusApi]:
    """Open the status API of that name: the connection's password is its key, its extra is what the owner allows.

    That is `requests_per_second`, `max_in_flight`, `calls_per_day` and `calls_per_month` (without the last two: any
    number), for all callers together where it is called for a run, else for this process. Raises SetupError.
    """
    connection = _connection(f"{name}_api", "the domain status API, with its key as the password")
    if not connection.password:
        raise SetupError(f"the Airflow connection '{name}_api' has no password: set it to the API key")
    if not re.fullmatch(r"[!-~]+", connection.password):
        raise SetupError(f"the password of the Airflow connection '{name}_api' holds blanks or foreign letters")
    make_client, base_url = CLIENTS[name]
    allowance = _allowance(connection)
    session = HttpSession(allowance.max_in_flight)
    client = make_client(session, _base_url(connection) or base_url, connection.password)
    with _call_budget(name, allowance, calling) as budget:
        yield StatusApi(client, budget)


@contextmanager
def _call_budget(name: str, allowance: Allowance, calling: Calling | None) -> Iterator[CallBudget]:
    if calling is None:
        yield MemoryCallBudget(allowance)
        return
    with SharedCallBudget(
        calling.status,
        name,
        allowance,
        run_id=calling.run_id,
        is_backfill=calling.is_backfill,
        run_rate=calling.rate,
    ) as budget:
        yield budget


def allowed_calls(name: str) -> Allowance | None:
    """Return what the connection to the status API of that name allows; None without one. Raises SetupError."""
    connection = _optional_connection(f"{name}_api")
    return None if connection is None else _allowance(connection)


@contextmanager
def witnesses(status: Engine) -> Iterator[Witnesses]:
    """Open registries and DNS, with turns at registries' servers shared by everybody on this status database."""
    with SharedTurnBook(status) as book, open_witnesses(witness_settings(), book, StoredBootstrap(status)) as opened:
        yield opened


def witness_settings() -> WitnessSettings:
    """Return what the connections `rdap` and `dns` say; both may be missing, the defaults are then good for anybody.

    `rdap`: the host is the URL of a list of servers (RFC 9224), the extra may set `requests_per_second` and
    `max_in_flight` for each server host, `hosts` the same for one (`{"rdap.nic.example": {...}}`), and `servers` for
    top-level domains that the list lacks. `dns`: host and port of a resolver. Raises SetupError.
    """
    rdap, dns = _optional_connection("rdap"), _optional_connection("dns")
    settings = WitnessSettings()
    if rdap is not None:
        default = _pace(rdap, _extra(rdap), ServerPace())
        by_host = {host: _pace(rdap, _extra(rdap, "hosts", host), default) for host in _extra(rdap, "hosts")}
        settings = WitnessSettings(
            bootstrap_url=_base_url(rdap) or settings.bootstrap_url,
            servers=_extra(rdap, "servers"),
            paces=Paces(default, by_host),
        )
    if dns is not None and dns.host:
        settings = replace(settings, resolvers=(_resolver(dns),))
    return settings


@contextmanager
def notification_webhook() -> Iterator[Webhook | None]:
    """Open the webhook that takes notifications; None where there is no such connection.

    The connection's host is the whole URL, its password the secret of Standard Webhooks (`whsec_...`). Raises
    SetupError where either can't be used.
    """
    connection = _optional_connection("notification_webhook")
    if connection is None:
        yield None
        return
    url = _webhook_url(connection)
    try:
        key = signing_key(connection.password or "")
    except ValueError as error:
        raise SetupError(
            f"the password of the Airflow connection 'notification_webhook' is no signing secret: {error}"
        ) from None
    with requests.Session() as session:
        yield Webhook(session, url, key)


def has_status_api(name: str) -> bool:
    """Tell whether there is a connection to the status API of that name, with a key."""
    connection = _optional_connection(f"{name}_api")
    return connection is not None and bool(connection.password)


def _connection(conn_id: str, what: str) -> Connection:
    connection = _optional_connection(conn_id)
    if connection is None:
        raise SetupError(
            f"the Airflow connection '{conn_id}' is missing: it names {what}. Add it with 'airflow connections add"
            f" {conn_id} ...' or the environment variable AIRFLOW_CONN_{conn_id.upper()}"
        )
    return connection


def _optional_connection(conn_id: str) -> Connection | None:
    try:
        connection: Connection = Connection.get(conn_id)
    except AirflowNotFoundException:
        return None
    return connection


def _resolver(connection: Connection) -> Resolver:
    port = connection.port or 53
    try:
        found = socket.getaddrinfo(connection.host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise SetupError("the host of the Airflow connection 'dns' is no IP address and no known name") from None
    return Resolver(str(found[0][4][0]), port)


def _engine(connection: Connection, *dialects: str) -> Engine:
    """Return an engine for a connection to a database of one of these dialects. Raises SetupError."""
    named = DIALECTS.get(connection.conn_type or "")
    if named not in dialects:
        usable = sorted(conn_type for conn_type, dialect in DIALECTS.items() if dialect in dialects)
        raise SetupError(
            f"the Airflow connection '{connection.conn_id}' is of type {connection.conn_type!r}: only"
            f" {', '.join(usable)} can be used"
        )
    dialect = dialect_named(named)
    options = {name: str(value) for name, value in _extra(connection).items() if name in dialect.url_options}
    url = URL.create(
        dialect.driver,
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query=options,
    )
    # Errors must not show bound values: they may be hosts and keys.
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=dict(dialect.connect_args))


def _base_url(connection: Connection) -> str | None:
    if not connection.host:
        return None
    host = connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
    return f"{host}:{connection.port}" if connection.port else host


def _webhook_url(connection: Connection) -> str:
    """Return the whole URL, with the field `port` where the host is no more than a host. Raises SetupError."""
    url = (connection.host or "").strip()
    if "://" not in url:
        url = f"{connection.schema or 'https'}://{url}"
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        is_bare = parts.port is None and not (parts.path.strip("/") or parts.query or parts.fragment)
    except ValueError:
        is_usable = is_bare = False
    if not is_usable or " " in url or not url.isprintable():
        raise SetupError("the host of the Airflow connection 'notification_webhook' is no URL to post to")
    if connection.port and not is_bare:
        raise SetupError(
            "the Airflow connection 'notification_webhook' has a port beside its URL: write it into the URL, its host"
        )
    return f"{url.rstrip('/')}:{connection.port}" if connection.port else url


def _extra(connection: Connection, *path: str) -> dict[str, Any]:
    """Return the extra, or the object at a path in it; an empty one where there is none."""
    found = connection.extra_dejson
    for name in path:
        found = found.get(name, {}) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        place = " of ".join([*(f"'{name}'" for name in reversed(path)), "the extra"])
        raise SetupError(f"{place} of the Airflow connection '{connection.conn_id}' is not a JSON object")
    return found


def _allowance(connection: Connection) -> Allowance:
    extra = _extra(connection)
    limits = {name: extra[name] for name in ("calls_per_day", "calls_per_month") if extra.get(name) is not None}
    for name, limit in limits.items():
        if type(limit) is not int or not 0 < limit <= MAX_CALLS:
            raise SetupError(
                f"the extra of the Airflow connection '{connection.conn_id}' is not usable: '{name}' is a whole number"
                f" up to {MAX_CALLS}, or null for no limit"
            )
    return _pace(connection, extra, Allowance(**limits))


def _pace(connection: Connection, extra: Mapping[str, Any], default: PaceKind) -> PaceKind:
    kinds = {"requests_per_second": float, "max_in_flight": int}
    try:
        pace = replace(default, **{name: kind(extra[name]) for name, kind in kinds.items() if name in extra})
        is_rate = MIN_REQUESTS_PER_SECOND <= pace.requests_per_second <= MAX_REQUESTS_PER_SECOND
        usable = is_rate and 0 < pace.max_in_flight <= MAX_IN_FLIGHT
    except (TypeError, ValueError, OverflowError):
        usable = False
    if not usable:
        raise SetupError(
            f"the extra of the Airflow connection '{connection.conn_id}' is not usable: 'requests_per_second' is a"
            f" number from {MIN_REQUESTS_PER_SECOND} to {MAX_REQUESTS_PER_SECOND}, 'max_in_flight' one up to"
            f" {MAX_IN_FLIGHT}"
        )
    return pace
