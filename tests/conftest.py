"""The real things that tests run on: a PostgreSQL of the session, and the simulated internet over HTTP."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from alembic import command
from alembic.config import Config
from lapsewatch.status_database.schema import ALEMBIC_INI
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile
from sqlalchemy import Engine, create_engine

from local import postgres, privileges
from local.checkout import DAGS, PLUGINS
from simulator.app import create_app
from simulator.clock import Clock
from simulator.lives import Life
from simulator.resolver.server import serving_dns
from simulator.server import serving
from simulator.user_database import CREATE_USER_DATABASE, seed
from simulator.world import World

API_KEY = "key-that-must-never-be-logged"
EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="lapsewatch-airflow-"))
TEMPLATE = "migrated_status_database"
USERS_TEMPLATE = "empty_user_database"
SHARED_MEMORY = Path("/dev/shm")
ROOM_FOR_DATABASES = 4 * 1024**3


# Airflow reads its environment when it is imported, which only tests and the conftest files below this one do.
for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(AIRFLOW_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
    # `dag.test()` fails at the end of any run with a deadline (Airflow's issue 73428).
    "AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS": "0",
    # Tests store the DAG anew within the half minute that Airflow would not look.
    "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
}


LONGEST_FIRST = (
    "tests/e2e/test_backfill.py",
    "tests/time_lapse/test_time_lapse.py",
    "tests/e2e/test_daily_run.py",
    "tests/contracts/profiles/test_many.py",
    "tests/stages/test_validate_checks.py",
    "tests/commands/test_backfill.py",
    "tests/stages/test_killed_unverifications.py",
    "tests/replays/test_dated_cases.py",
    "tests/replays/test_outages.py",
    "tests/e2e/test_approval.py",
)
"""What takes half a minute and more begins first, so that no worker is left alone with it in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))


def pytest_unconfigure() -> None:
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """A PostgreSQL of this session's own, gone at its end."""
    state = tmp_path_factory.mktemp("postgres")
    with data_folder() as data:
        try:
            with postgres.running(postgres.cluster_in(state, data)) as server:
                yield server
        finally:
            postgres.destroy(state)


@contextmanager
def data_folder() -> Iterator[Path | None]:
    """A folder in memory, where there is room: each test makes its databases, and a disk takes ten times as long."""
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ROOM_FOR_DATABASES:
        with tempfile.TemporaryDirectory(prefix="lapsewatch-", dir=SHARED_MEMORY) as folder:
            yield Path(folder)
    else:
        yield None


@pytest.fixture(scope="session")
def migrated_template(postgres_server: postgres.Server) -> str:
    """A migrated status database to copy: copying takes a tenth of migrating."""
    engine = sqlalchemy_engine(postgres_server.recreate(TEMPLATE))
    config = Config(ALEMBIC_INI)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    return TEMPLATE


@pytest.fixture
def empty_database_url(postgres_server: postgres.Server) -> str:
    """The libpq URL of an empty database."""
    return postgres_server.recreate("empty")


@pytest.fixture
def status_url(postgres_server: postgres.Server, migrated_template: str) -> str:
    """The libpq URL of a migrated, empty status database."""
    return copy(postgres_server, migrated_template, "status")


@pytest.fixture
def status(status_url: str) -> Iterator[Engine]:
    """An engine on a migrated, empty status database."""
    engine = sqlalchemy_engine(status_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def users_template(postgres_server: postgres.Server) -> str:
    """A user database in PyPI's schema to copy, without users, with the views on it."""
    url = postgres_server.recreate(USERS_TEMPLATE)
    with psycopg.connect(url) as connection:
        connection.execute(CREATE_USER_DATABASE.read_bytes())
    privileges.grant(url, postgres_server.cluster.password)
    return USERS_TEMPLATE


@pytest.fixture
def user_url(postgres_server: postgres.Server, users_template: str) -> str:
    """The libpq URL, as its owner, of a user database in PyPI's schema, without users, with the views on it."""
    return copy(postgres_server, users_template, "users")


def copy(server: postgres.Server, template: str, database: str) -> str:
    """Make a database as a copy, in place of one of that name; return its URL."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {database} with (force)")
        # Its files, not page by page through the log: half of the work.
        connection.execute(f"create database {database} template {template} strategy file_copy")
    return server.url(database)


@pytest.fixture
def reader_url(postgres_server: postgres.Server, user_url: str) -> str:
    """The libpq URL of that user database for a member of `lapsewatch_reader`."""
    return postgres_server.url("users", privileges.READER)


@pytest.fixture
def unverifier_url(postgres_server: postgres.Server, user_url: str) -> str:
    """The libpq URL of that user database for a member of `lapsewatch_unverifier`."""
    return postgres_server.url("users", privileges.UNVERIFIER)


@pytest.fixture
def users(unverifier_url: str) -> Iterator[UserDatabase]:
    """The user database through the profile `pypi`, as the unverifier."""
    engine = sqlalchemy_engine(unverifier_url)
    yield UserDatabase(engine, load_profile("pypi"))
    engine.dispose()


def seed_users(user_url: str, world: World) -> None:
    """Fill the user database from a world; its tables are made anew, and with them the views on them."""
    seed(user_url, world)
    with psycopg.connect(user_url) as connection:
        connection.execute(load_profile("pypi").grants().encode())


@pytest.fixture
def add_addresses(user_url: str) -> Callable[..., None]:
    """Adds an account with the given addresses, verified unless told otherwise."""

    def add(*emails: str, verified: bool = True) -> None:
        with psycopg.connect(user_url) as connection:
            number = connection.execute("select count(*) from users").fetchone()
            user = connection.execute(
                "insert into users (username, name) values (%s, 'Some One') returning id", [f"user{number[0]}"]
            ).fetchone()
            for email in emails:
                connection.execute(
                    'insert into user_emails (user_id, email, "primary", verified) values (%s, %s, false, %s)',
                    [user[0], email, verified],
                )

    return add


def put_to_work(status_url: str, since: datetime) -> None:
    """Let the status database know a domain already: those that are found from now on are new, and due at once."""
    with psycopg.connect(status_url) as connection:
        connection.execute(
            "insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at) values ('known.com', %s, %s)",
            [since, since],
        )


def confirm_address(user_url: str, email: str, at: datetime) -> None:
    """What PyPI does when a user confirms an address: it is trusted, and an event says since when."""
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = true, unverify_reason = null where email = %s", [email])
        connection.execute(
            "insert into user_events (source_id, tag, time, additional)"
            " select user_id, 'account:email:verified', %s at time zone 'UTC', jsonb_build_object('email', email)"
            " from user_emails where email = %s",
            [at, email],
        )


@dataclass(frozen=True)
class SimulatedInternet:
    """The simulator, running, and its control API; `dns` is host and port of its resolver."""

    url: str
    world: World
    dns: tuple[str, int]

    def order_faults(self, *rules: dict[str, Any]) -> None:
        requests.put(f"{self.url}/_simulator/faults", json=list(rules), timeout=5).raise_for_status()

    def advance(self, days: float) -> None:
        requests.put(f"{self.url}/_simulator/clock", json={"advance_days": days}, timeout=5).raise_for_status()

    def change_settings(self, **settings: float | None) -> None:
        requests.put(f"{self.url}/_simulator/settings", json=settings, timeout=5).raise_for_status()

    def calls(self) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.url}/_simulator/calls", timeout=5).json()
        return answer

    def forget_calls(self) -> None:
        requests.delete(f"{self.url}/_simulator/calls", timeout=5).raise_for_status()


def days(number: float) -> timedelta:
    return timedelta(days=number)


LIVES = {
    "alive.com": Life.active(EPOCH + days(300)),
    "alive.co.uk": Life.active(EPOCH + days(200)),
    "ingrace.net": Life.lapsing(EPOCH - days(10)),
    "redeemable.org": Life.lapsing(EPOCH - days(50)),
    "deleted.io": Life.lapsing(EPOCH - days(72)),
    "released.dev": Life.lapsing(EPOCH - days(100)),
    "taken.net": Life.lapsing(EPOCH - days(200)).re_registered(EPOCH - days(100)),
    "xn--mnchen-3ya.de": Life.active(EPOCH + days(100)),
}
LAPSED = {"redeemable.org", "deleted.io", "released.dev"}


@contextmanager
def simulated(world: World, **settings: Any) -> Iterator[SimulatedInternet]:
    app = create_app(world, Clock(EPOCH), api_key=API_KEY, **settings)
    with serving(app) as url, serving_dns(app.state.dns) as dns:
        yield SimulatedInternet(url, world, dns)


@pytest.fixture
def internet() -> Iterator[SimulatedInternet]:
    """A village of a few domains, one in each stage of life."""
    with simulated(World.of(LIVES, EPOCH)) as running:
        yield running


def sqlalchemy_engine(libpq_url: str) -> Engine:
    return create_engine(libpq_url.replace("postgresql://", "postgresql+psycopg://"))
