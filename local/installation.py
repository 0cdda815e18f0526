"""The local installation: one PostgreSQL with three databases, Airflow beside it, and a simulated world."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from local import airflow, postgres, privileges
from local.checkout import ALEMBIC_INI, local_folder
from local.postgres import Server
from simulator.app import create_app
from simulator.clock import Clock
from simulator.resolver.server import serving_dns
from simulator.server import serving
from simulator.user_database import Seeded, seed
from simulator.world import World

API_KEY = "the-simulator-takes-this-key"
API_LATENCY_MS = 20


def cluster() -> postgres.Cluster:
    """Return the checkout's own PostgreSQL cluster, made now if there is none."""
    return postgres.cluster_in(local_folder("postgres"))


def migrate(url: str) -> None:
    """Bring the status database at a libpq URL to the newest migration."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config(ALEMBIC_INI)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def log_file(name: str) -> Path:
    """Return the file that a command's output goes to."""
    return local_folder("logs") / f"{name}.log"


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation: its server, its world, and the environment that `airflow` commands need."""

    server: Server
    world: World
    airflow: dict[str, str]

    def prepare(self) -> None:
        """Make the three databases what they should be. A user database that is there already is kept.

        Raises MigrationFailed.
        """
        self.migrate_airflow()
        self.migrate_status_database()
        if not self._has_users():
            self.seed_users()

    def seed_users(self) -> Seeded:
        """Create and fill the user database, in place of an older one, and let Lapsewatch at it."""
        url = self.server.recreate(airflow.USER_DATABASE)
        seeded = seed(url, self.world)
        privileges.grant(url, self.server.cluster.password)
        privileges.list_popular(url, self.world.popular_projects)
        return seeded

    def migrate_status_database(self) -> None:
        """Bring the status database, made if need be, to the newest migration."""
        migrate(self.server.create_if_missing(airflow.STATUS_DATABASE))

    def migrate_airflow(self) -> None:
        """Bring Airflow's own database to the installed version; it takes seconds to learn that there is nothing to do.

        Raises MigrationFailed.
        """
        self.server.create_if_missing(airflow.AIRFLOW_DATABASE)
        state = f"{version('apache-airflow-core')} in {self.server.cluster.folder}"
        memory = local_folder("airflow") / "migrated"
        if memory.exists() and memory.read_text() == state:
            return
        log = log_file("airflow-db-migrate")
        if airflow.start(self.airflow, "db", "migrate", log=log).wait():
            raise MigrationFailed(f"'airflow db migrate' failed: see {log}")
        memory.write_text(state)

    def lapsewatch(self, arguments: Sequence[str]) -> int:
        """Run the command `lapsewatch` in this world, on its status database; return its exit status."""
        command = [sys.executable, "-m", "lapsewatch", *arguments]
        return subprocess.run(command, env=self.airflow, check=False).returncode

    def _has_users(self) -> bool:
        with psycopg.connect(self.server.create_if_missing(airflow.USER_DATABASE)) as connection:
            found = connection.execute("select to_regclass('lapsewatch.account')").fetchone()
            return found is not None and found[0] is not None


class MigrationFailed(Exception):
    """A database could not be migrated; the message says where to look."""


@contextmanager
def running(accounts: int) -> Iterator[Installation]:
    """Run PostgreSQL and the simulator; stop at the end what was started.

    The simulated world begins today, so its dates make sense beside the real ones.
    """
    epoch = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    world = World("lapsewatch", accounts, epoch)
    app = create_app(world, Clock(epoch), api_key=API_KEY, latency_ms=API_LATENCY_MS)
    with postgres.running(cluster()) as server, serving(app) as url, serving_dns(app.state.dns) as resolver:
        outside = airflow.environment(server, internet_url=url, resolver=resolver, api_key=API_KEY)
        yield Installation(server, world, outside)
