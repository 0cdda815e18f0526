"""The SQL of the status database: one file a statement, in `include/sql/status_database/`, values bound by name."""

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

SQL_FOLDER = Path(__file__).parents[3] / "include" / "sql"


@cache
def statement(name: str) -> TextClause:
    """Return the statement in `<name>.sql`. Raises FileNotFoundError where there is none."""
    return text((SQL_FOLDER / "status_database" / f"{name}.sql").read_text())
