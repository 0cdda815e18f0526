"""What a database means to do for a statement: which tables it would read from start to end."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text

# MariaDB's JSON is none where a quote stands in an expression.
EXPLAIN = {"postgresql": "explain (format json, verbose)", "mariadb": "explain"}


class WholeRead(NamedTuple):
    """A table that is read from start to end, and how many rows each process of it gives, as the planner thinks."""

    table: str
    row_count: int


def can_be_explained(statement: TextClause) -> bool:
    """Tell whether the database explains it: not what a procedure does."""
    return "call lapsewatch." not in statement.text


def explaining(statement: TextClause, dialect: str) -> TextClause:
    """Return the statement that asks for the plan of another one, without carrying it out."""
    return text(f"{EXPLAIN[dialect]} {statement.text}")


def whole_reads(plan: Sequence[tuple[Any, ...]], dialect: str) -> list[WholeRead]:
    """Return the tables that a plan, in the rows that came of it, reads from start to end, the largest first.

    On MariaDB they go by their aliases.
    """
    found: dict[str, int] = {}
    for table, count in _in_table(plan) if dialect == "mariadb" else _in_tree(plan[0][0]):
        found[table] = max(count, found.get(table, 0))
    return sorted(map(WholeRead._make, found.items()), key=lambda it: (-it.row_count, it.table))


def _in_table(plan: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, int]]:
    """Find them in the table that MariaDB answers with. <derived2> and the like, and JSON, are no tables."""
    for _, _, table, access, _, _, _, _, count, extra in plan:
        if access == "ALL" and not table.startswith("<") and "Table function" not in extra:
            yield table, int(count)


def _in_tree(node: Any) -> Iterator[tuple[str, int]]:
    if isinstance(node, list):
        for part in node:
            yield from _in_tree(part)
    elif isinstance(node, dict):
        if node.get("Node Type") == "Seq Scan":
            yield f"{node['Schema']}.{node['Relation Name']}", int(node["Plan Rows"])
        for part in node.values():
            yield from _in_tree(part)
