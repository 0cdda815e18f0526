"""What a database means to do for a statement: which tables it would read from start to end."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text

EXPLAIN = {"postgresql": "explain (format json, verbose)", "mariadb": "explain format=json"}


class WholeRead(NamedTuple):
    """A table that is read from start to end, and how many rows the planner thinks come of it."""

    table: str
    row_count: int


def can_be_explained(statement: TextClause) -> bool:
    """Tell whether the database explains it: not what a procedure does."""
    return "call lapsewatch." not in statement.text


def explaining(statement: TextClause, dialect: str) -> TextClause:
    """Return the statement that asks for the plan of another one, without carrying it out."""
    return text(f"{EXPLAIN[dialect]} {statement.text}")


def whole_reads(plan: Any) -> list[WholeRead]:
    """Return the tables that a plan, JSON as the database gives it, reads from start to end, the largest first."""
    found: dict[str, int] = {}
    for table, count in _reads(json.loads(plan) if isinstance(plan, str) else plan):
        found[table] = max(count, found.get(table, 0))
    return sorted(map(WholeRead._make, found.items()), key=lambda it: (-it.row_count, it.table))


def _reads(node: Any) -> Iterator[tuple[str, int]]:
    if isinstance(node, list):
        for part in node:
            yield from _reads(part)
    elif isinstance(node, dict):
        if node.get("Node Type") == "Seq Scan":
            yield f"{node['Schema']}.{node['Relation Name']}", int(node["Plan Rows"])
        elif node.get("access_type") == "ALL" and not str(node["table_name"]).startswith("<"):
            yield node["table_name"], int(node.get("rows", 0))
        for part in node.values():
            yield from _reads(part)
