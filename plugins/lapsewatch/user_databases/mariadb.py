"""User databases on MariaDB, through PyMySQL."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pymysql
from sqlalchemy import Connection, TextClause, text

from lapsewatch.core.errors import SetupError
from lapsewatch.user_databases.dialect import Failure

ROWS_PER_FETCH = 10_000

UNREACHABLE = {1040, 1045, 1053, 1927, 2002, 2003, 2006, 2013, 2055}
"""Errors that end or refuse a connection: too many of them, access denied, shut down, killed, lost (MariaDB's list)."""

LONGEST_LIST = 2**30
"""Bytes: MariaDB cuts a JSON list off at group_concat_max_len, 1 MB unless told otherwise; no packet is longer."""

TIMEOUT = 1969
"""ER_STATEMENT_TIMEOUT."""


class MariaDB:
    """See `Dialect`."""

    # By SQLAlchemy's name of MariaDB alone it would refuse MySQL's own server with a traceback.
    driver = "mysql+pymysql"
    errors: tuple[type[Exception], ...] = (pymysql.Error, UnicodeError)
    """The last: of a host that can be none, or a password with letters that it can't send."""
    connect_args: Mapping[str, object] = {"connect_timeout": 10, "program_name": "lapsewatch", "charset": "utf8mb4"}
    url_options = frozenset({"ssl_ca", "ssl_cert", "ssl_key", "unix_socket"})

    def begin(self, connection: Connection, *, timeout: float | None, is_reading: bool) -> None:
        """See `Dialect`. The procedures that change something want a transaction that has begun.

        Raises SetupError where the server is MySQL's own: `standard/mariadb/` has words that it does not know.
        """
        if not getattr(connection.dialect, "is_mariadb", False):
            raise SetupError("this is MySQL's own server, and the profile is for MariaDB: docs/privileges.md says why")
        if timeout is not None:
            connection.execute(text("set session max_statement_time = :seconds"), {"seconds": timeout})
        connection.execute(text("set session group_concat_max_len = :bytes"), {"bytes": LONGEST_LIST})
        connection.execute(text(f"start transaction {'read only' if is_reading else 'read write'}"))

    def rows(
        self, connection: Connection, statement: TextClause, values: Mapping[str, str]
    ) -> Iterator[tuple[Any, ...]]:
        """See `Dialect`. A column's name tells what it holds: MariaDB has no type for yes or no, JSON comes as text."""
        result = connection.execute(
            statement, values, execution_options={"stream_results": True, "yield_per": ROWS_PER_FETCH}
        )
        read = [_reader(column[0]) for column in result.cursor.description]
        for rows in result.partitions():
            for row in rows:
                yield _converted(row, read)

    def failure(self, error: Exception) -> Failure:
        """See `Dialect`."""
        number = error.args[0] if error.args else None
        return Failure(
            None if number is None else str(number),
            is_unreachable=number in UNREACHABLE or isinstance(error, UnicodeError),
            is_timeout=number == TIMEOUT,
        )


def _reader(name: str) -> Callable[[Any], Any] | None:
    if name.startswith(("is_", "has_", "owns_")):
        return bool
    if name.endswith("_at"):
        return _with_zone
    return json.loads if name == "others" else None


def _with_zone(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)


def _converted(row: Sequence[Any], read: Sequence[Callable[[Any], Any] | None]) -> tuple[Any, ...]:
    return tuple(value if value is None or how is None else how(value) for value, how in zip(row, read, strict=True))
