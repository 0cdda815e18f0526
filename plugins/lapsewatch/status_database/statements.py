"""The SQL of the status database: one file a statement, in `include/sql/status_database/`, values bound by name."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, TextClause, text

SQL_FOLDER = Path(__file__).parents[3] / "include" / "sql"


@cache
def statement(name: str) -> TextClause:
    """Return the statement in `<name>.sql`. Raises FileNotFoundError where there is none."""
    return text((SQL_FOLDER / "status_database" / f"{name}.sql").read_text())


def copy_rows(connection: Connection, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows into the `copy ... from stdin` in `<name>.sql`, in the connection's transaction."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was closed under the copy")
    with driver.cursor() as cursor, cursor.copy(statement(name).text) as copy:
        for row in rows:
            copy.write_row(row)
