"""Whom commands may ask: what Airflow's connections say, or registries and DNS where there is no Airflow."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from lapsewatch.clients.turns import MemoryTurnBook
from lapsewatch.clients.witnesses import Witnesses, WitnessSettings, open_witnesses
from lapsewatch.core.errors import LapsewatchError, SetupError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from lapsewatch.connections import StatusApi
    from lapsewatch.user_databases.database import UserDatabase

COMMANDS = "lapsewatch"
"""The run that commands call for: they share the budget with the DAG's runs, and are no backfill."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The second witnesses, and the status API where there is a key for it."""

    witnesses: Witnesses
    status_api: "StatusApi | None"


@contextmanager
def open_sources(client: str) -> Iterator[Sources]:
    """Open what is configured, and tell in a line on standard error who is asked. Raises LapsewatchError."""
    with ExitStack() as stack:
        if not _is_airflow_set_up():
            witnesses = stack.enter_context(open_witnesses(WitnessSettings(), MemoryTurnBook(), None))
            _tell("Asked: the registries (RDAP) and DNS. With a key for a status API it would be asked too.")
            yield Sources(witnesses, None)
            return
        connections = stack.enter_context(_connections())
        status = _shared_status_database(connections, stack)
        api = None
        if connections.has_status_api(client):
            calling = connections.Calling(status, COMMANDS) if status else None
            api = stack.enter_context(connections.status_api(client, calling))
        if status:
            witnesses = stack.enter_context(connections.witnesses(status))
        else:
            witnesses = stack.enter_context(open_witnesses(connections.witness_settings(), MemoryTurnBook(), None))
        asked = f"the status API ({client}), the registries" if api else "the registries"
        more = "" if api else f" The connection {client}_api has no key, so no status API is asked."
        _tell(f"Asked: {asked} (RDAP) and DNS.{more}")
        with _clear_database_errors():
            yield Sources(witnesses, api)


@contextmanager
def open_status_database() -> Iterator["Engine"]:
    """Open the status database. Raises SetupError where none is configured or its schema is another, Unavailable."""
    with _set_up_connections() as connections, connections.status_database() as engine, _clear_database_errors():
        yield engine


@contextmanager
def open_databases() -> Iterator[tuple["Engine", "UserDatabase"]]:
    """Open the status database as above, and the user database so that verifications can be changed in it."""
    with (
        _set_up_connections() as connections,
        connections.status_database() as status,
        connections.unverifying_user_database() as users,
        _clear_database_errors(),
    ):
        yield status, users


def _shared_status_database(connections: ModuleType, stack: ExitStack) -> "Engine | None":
    """Open the status database, where the daily run keeps its calls and turns, if there is one."""
    try:
        connections.status_engine().dispose()
    except SetupError:
        return None
    try:
        status: Engine = stack.enter_context(connections.status_database())
    except LapsewatchError as error:
        _tell(f"Calls and turns at registries are not shared with the daily run: {error}")
        return None
    return status


@contextmanager
def _set_up_connections() -> Iterator[ModuleType]:
    """Import what reads Airflow's connections. Raises SetupError where no Airflow is configured."""
    if not _is_airflow_set_up():
        raise SetupError(
            "no status database is configured: set AIRFLOW_CONN_STATUS_DB, or AIRFLOW_HOME of an Airflow that has the"
            " connection 'status_db'"
        )
    with _connections() as connections:
        yield connections


def _is_airflow_set_up() -> bool:
    """Tell whether somebody has configured an Airflow here: importing it takes seconds and leaves folders behind."""
    if any(name == "AIRFLOW_HOME" or name.startswith("AIRFLOW_CONN_") for name in os.environ):
        return True
    return (_default_airflow_home() / "airflow.cfg").exists()


def _default_airflow_home() -> Path:
    return Path(os.path.expanduser("~/airflow"))  # noqa: PTH111 - Path.expanduser raises where there is no home


@contextmanager
def _connections() -> Iterator[ModuleType]:
    """Import what reads Airflow's connections: without a word on standard output, and without a folder left behind."""
    with ExitStack() as stack:
        if "AIRFLOW_HOME" not in os.environ and not _default_airflow_home().exists():
            # A connection in the environment is no reason to make ~/airflow.
            os.environ["AIRFLOW_HOME"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="lapsewatch-"))
        os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
        from lapsewatch import connections

        # Airflow's import has set its own handlers.
        logging.basicConfig(force=True, stream=sys.stderr, level=logging.WARNING, format="%(message)s")
        yield connections


@contextmanager
def _clear_database_errors() -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise Unavailable(f"the status database failed ({type(error).__name__}): try again") from None


def _tell(line: str) -> None:
    # Dim where it is a terminal: it is not what was asked for.
    sys.stderr.write(f"\x1b[2m{line}\x1b[0m\n" if sys.stderr.isatty() else f"{line}\n")
