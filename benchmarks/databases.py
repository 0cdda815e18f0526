"""The databases that are measured on: a PostgreSQL of the benchmarks' own, with users and domains by the million."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import psycopg.sql
from alembic import command
from alembic.config import Config
from lapsewatch.status_database.schema import ALEMBIC_INI
from lapsewatch.user_databases.profile import load_profile
from rich.console import Console
from sqlalchemy import Connection, Engine, create_engine, text

from local import postgres, privileges
from local.checkout import local_folder
from local.postgres import Server
from simulator.user_database import CREATE_USER_DATABASE

SQL = Path(__file__).parent / "sql"

PRODUCTION = postgres.SETTINGS | {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
}
"""What is measured under: nothing is lost in a power cut. Everything else is PostgreSQL's default."""

FILLING = postgres.SETTINGS | {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "32GB",
    "autovacuum": "off",
}
"""What the databases are filled under, before anything is measured."""

CONSTRAINTS_AND_INDEXES = """
    select format('alter table %s drop constraint %I cascade', conrelid::regclass, conname) as drop,
           format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
               as make,
           array_position('{p,u,f}', contype) as place
    from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f')
    union all
    select format('drop index %I.%I', schemaname, indexname), indexdef, 4
    from pg_indexes
    where schemaname = 'public'
      and not exists (select from pg_constraint where conindid = format('%I.%I', schemaname, indexname)::regclass)
    order by place
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a user base is: verified addresses, and the custom hosts that four in ten of them are on."""

    addresses: int
    hosts: int

    @property
    def users(self) -> str:
        """The name of the user database of this size."""
        return f"users_{self.hosts}"


@dataclass(frozen=True, slots=True)
class Databases:
    """The running server that is measured, the databases on it, and the machine's load before (over a minute)."""

    server: Server
    load_before: float

    def version(self) -> str:
        """Return PostgreSQL's version."""
        with psycopg.connect(self.server.url("postgres")) as connection:
            return connection.info.parameter_status("server_version") or ""

    def users(self, size: Size, login: str = privileges.READER) -> str:
        """Return the libpq URL of the users of a size, as one of the roles that Lapsewatch logs in with."""
        return self.server.url(size.users, login)

    def new_status_database(self, name: str = "measured_status") -> str:
        """Make a status database at the newest migration, in place of one of that name; return its libpq URL."""
        url = self.server.recreate(name)
        engine = engine_on(url)
        config = Config(ALEMBIC_INI)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        engine.dispose()
        return url

    def status_database_of(self, size: Size, name: str = "measured_status") -> str:
        """Make a status database that has known all hosts of a size for a while; return its libpq URL."""
        url = self.new_status_database(name)
        engine = engine_on(url)
        with engine.begin() as connection:
            run_file(connection, "create_custom_host", hosts=size.hosts)
            run_file(connection, "fill_status_database")
        self.settle(url)
        engine.dispose()
        return url

    def settle(self, url: str) -> None:
        """Leave nothing of the preparation to be done while something is measured."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum (analyze)")
            connection.execute("checkpoint")


def engine_on(libpq_url: str) -> Engine:
    """Return an engine as the product makes them."""
    return create_engine(libpq_url.replace("postgresql://", "postgresql+psycopg://"))


@contextmanager
def prepared(sizes: Iterable[Size], console: Console) -> Iterator[Databases]:
    """Run the benchmarks' PostgreSQL with production's settings, with user databases of these sizes on it.

    What an earlier run has filled is used again; `make clean` removes it.
    """
    load = os.getloadavg()[0]
    cluster = postgres.cluster_in(local_folder("bench"))
    with postgres.running(cluster, FILLING) as server:
        for size in sizes:
            if not _is_filled(server, size):
                console.print(f"Making {size.addresses:,} addresses on {size.hosts:,} hosts ...")
                _fill(server, size)
    with postgres.running(cluster, PRODUCTION) as server:
        yield Databases(server, load)


def _recipe() -> str:
    """Return what tells whether a database was filled as it would be now."""
    files = (SQL / "create_custom_host.sql", SQL / "fill_user_database.sql", CREATE_USER_DATABASE)
    scripts = [*(file.read_text() for file in files), load_profile("pypi").grants()]
    return hashlib.sha256("".join(scripts).encode()).hexdigest()


def _is_filled(server: Server, size: Size) -> bool:
    with psycopg.connect(server.url("postgres")) as connection:
        query = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
        return connection.execute(query, [size.users]).fetchone() == (_recipe(),)


def _fill(server: Server, size: Size) -> None:
    url = server.recreate(size.users)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(CREATE_USER_DATABASE.read_bytes())
        built = connection.execute(CONSTRAINTS_AND_INDEXES).fetchall()
        # A foreign key goes with the key that it refers to.
        for drop, _, _ in built:
            connection.execute(drop.replace("drop constraint", "drop constraint if exists"))
    engine = engine_on(url)
    with engine.begin() as connection:
        run_file(connection, "create_custom_host", hosts=size.hosts)
        run_file(connection, "fill_user_database", addresses=size.addresses, hosts=size.hosts)
    engine.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        for _, make, _ in built:
            connection.execute(make)
    privileges.grant(url, server.cluster.password)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum (freeze, analyze)")
        comment = psycopg.sql.SQL("comment on database {} is {}")
        connection.execute(comment.format(psycopg.sql.Identifier(size.users), psycopg.sql.Literal(_recipe())))


def run_file(connection: Connection, name: str, **values: object) -> None:
    """Run the statements of `sql/<name>.sql`, one after the other."""
    for statement in (SQL / f"{name}.sql").read_text().split(";\n"):
        if statement.strip():
            connection.execute(text(statement), values)
