"""What differs from one database system to another, for `database.py`: one small module each implements it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, TextClause


@dataclass(frozen=True, slots=True)
class Failure:
    """What kind of failure the driver reported: never its words, which may quote a row."""

    code: str | None
    is_unreachable: bool = False
    is_timeout: bool = False


class Dialect(Protocol):
    """A database system as `UserDatabase` needs it."""

    @property
    def driver(self) -> str:
        """The driver, as SQLAlchemy names it in a URL."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver itself raises."""

    @property
    def connect_args(self) -> Mapping[str, object]:
        """What the driver is told at each connection: who we are, and how long to wait."""

    @property
    def url_options(self) -> frozenset[str]:
        """What an Airflow connection's extra may tell the driver; Airflow's hooks have names of their own there."""

    def begin(self, connection: Connection, *, timeout: float | None, is_reading: bool) -> None:
        """Begin a transaction whose statements end after `timeout` seconds (None: as the server says), each."""

    def rows(
        self, connection: Connection, statement: TextClause, values: Mapping[str, str]
    ) -> Iterator[tuple[Any, ...]]:
        """Stream what a statement returns, its columns in their order: times with a zone, yes or no as bool."""

    def failure(self, error: Exception) -> Failure:
        """Return what kind of failure an error of the driver's is."""


def dialect_named(name: str) -> Dialect:
    """Return the dialect of that name. Whoever has the one need not load the other's driver."""
    if name == "mariadb":
        from lapsewatch.user_databases.mariadb import MariaDB

        return MariaDB()
    from lapsewatch.user_databases.postgresql import PostgreSQL

    return PostgreSQL()
