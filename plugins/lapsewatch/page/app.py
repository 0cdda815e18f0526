"""The web application that Airflow mounts: for those of its users who may read the DAG, and for nobody else."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from math import ceil
from pathlib import Path as FilePath
from typing import Annotated
from urllib.parse import quote, urlencode

from airflow.api_fastapi.app import API_ROOT_PATH
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from fastapi.templating import Jinja2Templates
from markupsafe import Markup
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException

from lapsewatch.core.errors import LapsewatchError
from lapsewatch.page import wording
from lapsewatch.page.listing import LAPSES_PER_PAGE, ListedRun, reading
from lapsewatch.page.spreadsheet import in_csv

DAG_ID = "check_domain_status"
APPROVAL_TASK_ID = "approve_unverifications"
TEMPLATES = FilePath(__file__).with_name("templates")
STYLE = (TEMPLATES / "style.css").read_text()
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    # The one style sheet, and nothing else: what slipped past the escaping could still do nothing.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

templates = Jinja2Templates(TEMPLATES)
templates.env.trim_blocks = templates.env.lstrip_blocks = True
templates.env.globals |= {"style": Markup(STYLE)}  # noqa: S704 - a file of ours
templates.env.filters |= {"minute": wording.minute, "named": wording.named}

app = FastAPI(
    title="Lapsewatch",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_dag("GET", param_dag_id=DAG_ID))],
)


def listed_run(
    connection: Annotated[Connection, Depends(reading)],
    # As long as Airflow lets it be, and without what PostgreSQL has no letter for.
    run_id: Annotated[str, Path(max_length=250, pattern=r"^[^\x00]+$")],
) -> ListedRun:
    """Return the run that the address names. Raises HTTPException (404) where it is unknown."""
    run = ListedRun.read(connection, run_id)
    if run is None:
        raise HTTPException(404, f"Lapsewatch knows no run {run_id!r}. A run is known from its first task on.")
    return run


Reading = Annotated[Connection, Depends(reading)]
Run = Annotated[ListedRun, Depends(listed_run)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


@app.get("/runs/{run_id}/unverifications")
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
        "airflow_run": f"{API_ROOT_PATH}dags/{DAG_ID}/runs/{quote(run.run_id, safe='')}",
        "approval_task": f"tasks/{APPROVAL_TASK_ID}/required_actions",
    }
    return templates.TemplateResponse(request, "unverifications.html", shown)


@app.get("/runs/{run_id}/unverifications.csv")
def download_unverifications(connection: Reading, run: Run) -> Response:
    """Send the same list, all of it, as CSV."""
    disposition = {"Content-Disposition": 'attachment; filename="unverifications.csv"'}
    return StreamingResponse(in_csv(run.all_lapses(connection)), media_type="text/csv", headers=disposition)


@app.middleware("http")
async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Tell browsers to run, load, frame and keep nothing."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


@app.exception_handler(StarletteHTTPException)
def explain_refusal(request: Request, error: StarletteHTTPException) -> Response:
    """Send whoever is not logged in to Airflow's login; tell others why not."""
    if error.status_code == HTTPStatus.UNAUTHORIZED and "Authorization" not in request.headers:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{API_ROOT_PATH}api/v2/auth/login?{urlencode({'next': here})}")
    if error.status_code == HTTPStatus.FORBIDDEN:
        return _message(request, 403, f"This page is for users who may read the DAG {DAG_ID}.")
    return _message(request, error.status_code, str(error.detail))


@app.exception_handler(RequestValidationError)
def explain_bad_address(request: Request, error: RequestValidationError) -> Response:
    """What is no run id or page number names nothing."""
    return _message(request, 404, "The address names no run, or no page of its list.")


@app.exception_handler(LapsewatchError)
def explain_trouble(request: Request, error: LapsewatchError) -> Response:
    """Tell what its owner must do about the status database."""
    return _message(request, 503, f"The list can't be read now: {error}.")


@app.exception_handler(SQLAlchemyError)
def explain_database_error(request: Request, error: SQLAlchemyError) -> Response:
    """Tell the error's type alone: its text may quote data."""
    return _message(request, 503, f"The list can't be read now: the status database failed ({type(error).__name__}).")


def _message(request: Request, status: int, text: str) -> Response:
    shown = {"title": HTTPStatus(status).phrase, "text": text}
    return templates.TemplateResponse(request, "message.html", shown, status_code=status)
