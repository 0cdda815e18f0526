"""What a run would unverify, or has: the question it asked, the top-level domains, and every lapse."""

from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from lapsewatch.page import wording
from lapsewatch.page.listing import LAPSES_PER_PAGE, ListedRun
from lapsewatch.page.reading import Reading
from lapsewatch.page.rendering import render
from lapsewatch.page.spreadsheet import csv_response

COLUMNS = ("domain", "address_count", "phase", "lapsed_at", "witnesses", "reason", "suspicion")

router = APIRouter()


def listed_run(
    connection: Reading,
    # As long as Airflow lets it be, and without what PostgreSQL has no letter for.
    run_id: Annotated[str, Path(max_length=250, pattern=r"^[^\x00]+$")],
) -> ListedRun:
    """Return the run that the address names. Raises HTTPException (404) where it is unknown."""
    run = ListedRun.read(connection, run_id)
    if run is None:
        raise HTTPException(404, f"Lapsewatch knows no run {run_id!r}. A run is known from its first task on.")
    return run


Run = Annotated[ListedRun, Depends(listed_run)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


@router.get("/runs/{run_id}/unverifications")
def show_unverifications(request: Request, connection: Reading, run: Run, page: PageNumber = 1) -> Response:
    """Show what a run would unverify, or has: the question, the top-level domains, a page of the lapses."""
    tlds = run.tlds(connection)
    lapse_count = sum(row["lapse_count"] for row in tlds)
    pages = max(1, ceil(lapse_count / LAPSES_PER_PAGE))
    if page > pages:
        raise HTTPException(404, f"The list has {pages:,} {'page' if pages == 1 else 'pages'}.")
    shown = {
        "run": run,
        "state": wording.state(run, datetime.now(UTC)),
        "tlds": tlds,
        "lapses": run.lapses(connection, page),
        "lapse_count": lapse_count,
        "first": (page - 1) * LAPSES_PER_PAGE + 1,
        "page": page,
        "pages": pages,
    }
    return render(request, "unverifications.html", shown)


@router.get("/runs/{run_id}/unverifications.csv")
def download_unverifications(connection: Reading, run: Run) -> Response:
    """Send the same list, all of it, as CSV."""
    parts = (map(_with_named_witnesses, part) for part in run.all_lapses(connection))
    return csv_response("unverifications.csv", COLUMNS, parts)


def _with_named_witnesses(lapse: RowMapping) -> dict[str, Any]:
    return {**lapse, "witnesses": wording.named(lapse["witnesses"])}
