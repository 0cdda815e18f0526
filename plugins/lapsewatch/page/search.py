"""The search: a domain by its own name, by a host under it, or by how its name begins."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection, RowMapping

from lapsewatch.core.domains import SetAside, a_labels
from lapsewatch.core.names import IN_WORDS, NamedHost, read_name
from lapsewatch.page import addresses
from lapsewatch.page.reading import Reading
from lapsewatch.page.rendering import render
from lapsewatch.status_database.statements import statement

MOST_FOUND = 50

router = APIRouter()


@router.get("/domains")
def search_domains(
    request: Request, connection: Reading, q: Annotated[str, Query(max_length=1000, pattern=r"^[^\x00]*$")] = ""
) -> Response:
    """Show the domains whose names begin as asked; go straight to the one that is meant, where that is sure.

    What may be an e-mail address is neither looked up nor shown again.
    """
    asked = q.strip()
    if "@" in asked:
        return _found(request, asked="", is_address=True)
    if not asked:
        return _found(request, asked="")
    named = read_name(asked)
    beginning = a_labels(asked) or (asked.lower() if asked.isascii() else None)
    rows = _beginning(connection, beginning) if beginning else []
    meant = _meant(connection, named, rows)
    if meant is not None:
        return RedirectResponse(addresses.domain(meant), HTTPStatus.SEE_OTHER)
    return _found(request, asked=asked, named=named, rows=rows)


def _beginning(connection: Connection, beginning: str) -> list[RowMapping]:
    literal = beginning.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    values = {"beginning": f"{literal}%", "most": MOST_FOUND + 1}
    return list(connection.execute(statement("select_page_domains"), values).mappings())


def _meant(connection: Connection, named: NamedHost | SetAside, rows: list[RowMapping]) -> str | None:
    """Return the known domain that is named, by itself or by a host under it; else the only one that begins so."""
    if isinstance(named, NamedHost):
        exact = connection.execute(statement("select_story"), {"domain": named.domain}).mappings().one_or_none()
        if exact is not None:
            return named.domain
    return str(rows[0]["domain"]) if len(rows) == 1 else None


def _found(
    request: Request,
    asked: str,
    *,
    named: NamedHost | SetAside | None = None,
    rows: list[RowMapping] | None = None,
    is_address: bool = False,
) -> Response:
    rows = rows or []
    shown: dict[str, Any] = {
        "asked": asked,
        "is_address": is_address,
        "found": rows[:MOST_FOUND],
        "has_more": len(rows) > MOST_FOUND,
        "named": named if isinstance(named, NamedHost) else None,
        "why_not": IN_WORDS[named] if isinstance(named, SetAside) else None,
    }
    return render(request, "search.html", shown)
