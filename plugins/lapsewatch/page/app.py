"""The web application that Airflow mounts: for those of its users who may read the DAG, and for nobody else."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import unquote_plus, urlencode

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.staticfiles import StaticFiles

from lapsewatch.core.errors import LapsewatchError
from lapsewatch.page import addresses, dashboard, domain, search, tables, unverifications, validation
from lapsewatch.page.rendering import STATIC, message

HEADERS = {
    # Style sheets and scripts of our own, Airflow as the only frame: what slipped past the escaping could do nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

app = FastAPI(
    title="Lapsewatch",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_dag("GET", param_dag_id=addresses.DAG_ID))],
)
for room in (dashboard, tables, search, domain, unverifications, validation):
    app.include_router(room.router)
app.mount("/static", StaticFiles(directory=STATIC))


@app.middleware("http")
async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Tell browsers to run and load nothing foreign, and to keep nothing but the files that the page is made of."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    if request.url.path.startswith(f"{addresses.HOME}/static/") and response.status_code == HTTPStatus.OK:
        # Their addresses change with what is in them.
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@app.middleware("http")
async def forget_addresses(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Keep what may be an e-mail address out of Airflow's access log, which is written once a request is answered."""
    response = await call_next(request)
    if _may_hold_address(request.url.query):
        request.scope["query_string"] = b""
    if _may_hold_address(request.url.path):
        request.scope["path"] = f"{addresses.HOME}/"
    return response


@app.exception_handler(StarletteHTTPException)
def explain_refusal(request: Request, error: StarletteHTTPException) -> Response:
    """Send whoever is not logged in to Airflow's login; tell others why not."""
    if error.status_code == HTTPStatus.UNAUTHORIZED and "Authorization" not in request.headers:
        here = urlencode({"next": _path_of(request)})
        return RedirectResponse(f"{addresses.AIRFLOW}/api/v2/auth/login?{here}")
    if error.status_code == HTTPStatus.FORBIDDEN:
        return message(request, HTTPStatus.FORBIDDEN, f"This page is for users who may read {addresses.DAG_ID}.")
    return message(request, HTTPStatus(error.status_code), str(error.detail))


@app.exception_handler(RequestValidationError)
def explain_bad_address(request: Request, error: RequestValidationError) -> Response:
    """What is no run id, page number or name names nothing."""
    return message(request, HTTPStatus.NOT_FOUND, "The address names no run, no domain, or no page of a list.")


@app.exception_handler(LapsewatchError)
def explain_trouble(request: Request, error: LapsewatchError) -> Response:
    """Tell what its owner must do about the status database."""
    return message(request, HTTPStatus.SERVICE_UNAVAILABLE, f"This page can't be read now: {error}.")


@app.exception_handler(SQLAlchemyError)
def explain_database_error(request: Request, error: SQLAlchemyError) -> Response:
    """Tell the error's type alone: its text may quote data."""
    why = f"the status database failed ({type(error).__name__})"
    return message(request, HTTPStatus.SERVICE_UNAVAILABLE, f"This page can't be read now: {why}.")


def _path_of(request: Request) -> str:
    """Return the path and query that were asked for, without what may hold an e-mail address."""
    path, query = request.url.path, request.url.query
    if _may_hold_address(path):
        return f"{addresses.HOME}/"
    return path if not query or _may_hold_address(query) else f"{path}?{query}"


def _may_hold_address(text: str) -> bool:
    return "@" in unquote_plus(text)
