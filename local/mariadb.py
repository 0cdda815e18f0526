"""A real MariaDB without a service: the server of Debian's packages, in a temporary folder, by its own tools.

Like PostgreSQL's it drops to `nobody` where it is run as root.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.postgres import free_port

PACKAGES = "mariadb-server-core mariadb-client-core"
SYSTEM_FOLDERS = os.pathsep.join(["/usr/sbin", "/usr/bin"])
STARTING_SECONDS = 60


class MariadbMissing(RuntimeError):
    """There is no MariaDB to start; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server that listens on 127.0.0.1 only; `root` and all logins have its password."""

    port: int
    password: str

    def run(self, script: str, database: str = "") -> None:
        """Run a script as its owner would, with MariaDB's own client. Raises RuntimeError with what it said."""
        command = [
            _tool("mariadb"), "--no-defaults", "--host=127.0.0.1", f"--port={self.port}", "--user=root",
            "--default-character-set=utf8mb4", *([database] if database else []),
        ]  # fmt: skip
        environment = {"PATH": os.defpath, "MYSQL_PWD": self.password}
        finished = subprocess.run(
            command, input=script, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        if finished.returncode:
            raise RuntimeError(f"MariaDB's client failed:\n{finished.stderr}")


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """Run a server that is gone at the end, with its data. Raises MariadbMissing where there is none."""
    install, server = _tool("mariadb-install-db"), _tool("mariadbd")
    with tempfile.TemporaryDirectory(prefix="lapsewatch-mariadb-") as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        run_as = []
        if os.geteuid() == 0:
            run_as = ["--user=nobody"]
            for path in (folder, data):
                shutil.chown(path, "nobody")
        log = folder / "log"
        with log.open("w") as said:
            installing = [
                install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
                "--skip-test-db", "--skip-name-resolve", *run_as,
            ]  # fmt: skip
            # A server that starts removes what it takes for its own temporary tables, another server's too.
            environment = os.environ | {"TMPDIR": str(folder)}
            if subprocess.run(installing, stdout=said, stderr=said, env=environment, check=False).returncode:
                raise RuntimeError(f"mariadb-install-db failed:\n{log.read_text()}")
            password = secrets.token_urlsafe(24)
            begin = folder / "begin.sql"
            # The first account is made without a password; nobody reaches the server before it has one.
            begin.write_text(f"alter user root@localhost identified by '{password}';\n")
            if run_as:
                shutil.chown(begin, "nobody")
            port = free_port()
            process = subprocess.Popen(
                [
                    server, "--no-defaults", f"--datadir={data}", f"--socket={folder}/s", f"--pid-file={folder}/pid",
                    "--bind-address=127.0.0.1", f"--port={port}", f"--init-file={begin}", "--skip-name-resolve=0",
                    "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M",
                    "--max-allowed-packet=64M", "--performance-schema", *options, *run_as,
                ],
                stdout=said,
                stderr=said,
                env=environment,
            )  # fmt: skip
        try:
            started = Server(port, password)
            _await(started, process, log)
            yield started
        finally:
            process.terminate()
            process.wait()


def _tool(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), SYSTEM_FOLDERS]))
    if found is None:
        raise MariadbMissing(f"there is no {name}: install MariaDB, on Debian by 'apt-get install {PACKAGES}'")
    return found


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(STARTING_SECONDS * 5):
        if process.poll() is not None:
            break
        try:
            server.run("select 1;")
        except RuntimeError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"MariaDB does not start:\n{log.read_text()}")
