"""The data dictionary: `docs/data-dictionary.md`, made from the status database as the migrations make it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from jinja2 import Environment, FileSystemLoader
from lapsewatch.status_database.statements import SQL_FOLDER
from psycopg.rows import dict_row

from local import installation, postgres
from local.checkout import PLUGINS, ROOT

DOCUMENT = ROOT / "docs" / "data-dictionary.md"
HERE = Path(__file__).parent

INNER = {
    "budget_caller",
    "call_budget",
    "domain_check_partition",
    "domain_history",
    "extraction",
    "rdap_bootstrap",
    "rdap_server",
}
"""What only Lapsewatch itself needs, and may change with any release."""

_WRITES = re.compile(r"\b(?:insert into|update|delete from|copy)\s+lapsewatch\.(\w+)", re.IGNORECASE)


def write() -> None:
    """Write the document anew."""
    with postgres.running(installation.cluster()) as server:
        url = server.recreate("dictionary")
        installation.migrate(url)
        DOCUMENT.write_text(dictionary(url))


def dictionary(url: str) -> str:
    """Return the document for the migrated status database at a libpq URL."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        relations = connection.execute((HERE / "sql" / "describe_schema.sql").read_bytes()).fetchall()
        functions = connection.execute(
            "select proname as name, prosrc as body from pg_proc where pronamespace = 'lapsewatch'::regnamespace"
        ).fetchall()
    # Markdown, which has no escaping of HTML's kind.
    templates = Environment(  # noqa: S701
        loader=FileSystemLoader(HERE / "templates"), trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["cell"] = _cell
    shown = {
        "views": [found for found in relations if found["is_view"] and found["name"] not in INNER],
        "tables": [found for found in relations if not found["is_view"] and found["name"] not in INNER],
        "inner": [found for found in relations if found["name"] in INNER],
        "writers": _writers({found["name"]: found["body"] for found in functions}),
    }
    return templates.get_template("data-dictionary.md").render(shown)


def _writers(functions: Mapping[str, str]) -> dict[str, list[str]]:
    """Return which modules write each table: those that name a statement that does, itself or by a function."""
    modules = {
        str(path.relative_to(PLUGINS / "lapsewatch").with_suffix("")): path.read_text()
        for path in sorted((PLUGINS / "lapsewatch").rglob("*.py"))
    }
    found: dict[str, set[str]] = {}
    for path in (SQL_FOLDER / "status_database").glob("*.sql"):
        statement = path.read_text()
        called = [body for name, body in functions.items() if f"lapsewatch.{name}" in statement]
        naming = {name for name, source in modules.items() if f'"{path.stem}"' in source}
        for table in _WRITES.findall("\n".join([statement, *called])):
            found.setdefault(table, set()).update(naming)
    return {table: sorted(names) for table, names in found.items()}


def _cell(text: Any) -> str:
    """Return a comment so that it stays in its cell of a table."""
    return " ".join(str(text).split()).replace("|", r"\|").replace("<", "&lt;")
