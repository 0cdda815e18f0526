"""What validation found before a run was published: Great Expectations' Data Docs, and the list of the last ones."""

import gzip
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import Response
from markupsafe import Markup

from lapsewatch.page.reading import Reading
from lapsewatch.page.rendering import render
from lapsewatch.page.spreadsheet import csv_response
from lapsewatch.status_database.statements import statement

MOST_LISTED = 100
COLUMNS = ("run_id", "validated_at", "success", "row_count", "quarantined_count", "trouble")

router = APIRouter()

# As long as Airflow lets it be, and without what PostgreSQL has no letter for.
RunId = Annotated[str, Path(max_length=250, pattern=r"^[^\x00]+$")]


@router.get("/validations")
def list_validations(request: Request, connection: Reading) -> Response:
    """Show the last runs that were validated, the newest first."""
    found = connection.execute(statement("select_validations"), {"most": MOST_LISTED}).mappings().all()
    return render(request, "validations.html", {"validations": found, "most": MOST_LISTED})


@router.get("/validations.csv")
def download_validations(connection: Reading) -> Response:
    """Send the runs that were validated as CSV, all of them."""
    found = connection.execute(statement("select_validations"), {"most": None}).mappings()
    return csv_response("validations.csv", COLUMNS, found.partitions(MOST_LISTED))


@router.get("/runs/{run_id}/validation")
def show_validation(request: Request, connection: Reading, run_id: RunId) -> Response:
    """Show what validation found in a run's rows, or why that is not kept as a page any more."""
    found = connection.execute(statement("select_validation"), {"run_id": run_id}).mappings().one_or_none()
    if found is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"Nothing of a run {run_id!r} was validated. A run is validated when its domains have been asked about.",
        )
    # Escaped when it was made (quality/data_docs.py), and nothing in it could run here.
    page = None if found["data_docs"] is None else Markup(gzip.decompress(found["data_docs"]).decode())  # noqa: S704
    return render(request, "validation.html", {"validation": found, "page": page})
