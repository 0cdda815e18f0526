"""A real browser before a real Airflow that has lived through three weeks of daily runs."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect
from psycopg.rows import dict_row

from local import postgres
from local.season.browser import PAGE, launched, log_in
from local.season.running import Season, lived

PATIENCE_MS = 30_000
"""So long something may take to appear, on a machine that is busy."""

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

Rows = list[dict[str, Any]]
Query = Callable[..., Rows]


@pytest.fixture(scope="session")
def season(postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    """The three weeks, and Airflow over what they have left."""
    with lived(postgres_server, tmp_path_factory.mktemp("season")) as season:
        yield season


@pytest.fixture(scope="session")
def status(season: Season) -> Query:
    """Asks the status database, past everything that the page is made of."""

    def ask(query: str, **values: Any) -> Rows:
        with psycopg.connect(season.status_url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    return ask


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; where it is missing the tests fail, and say what to install."""
    expect.set_options(timeout=PATIENCE_MS)
    with launched() as browser:
        yield browser


@dataclass
class Observed:
    """What browsers did that nobody saw on the page."""

    origin: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note each request to somebody else, and what is wrong on a page of ours: scripts, styles, its policy."""
        context.on("request", self._note_request)
        context.on("response", self._note_response)
        context.on("console", lambda said: self._complain(said.text, said.location["url"], said.type))
        context.on("weberror", lambda error: self._complain(str(error.error), error.page.url if error.page else ""))

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:", "about:")):
            self.strangers.append(request.url)

    def _note_response(self, response: Response) -> None:
        if response.status >= HTTPStatus.BAD_REQUEST and not response.request.is_navigation_request():
            self._complain(f"{response.status} {response.status_text}", response.url)

    def _complain(self, text: str, url: str, kind: str = "error") -> None:
        # A page that is not there says so itself.
        if text.startswith("Failed to load resource"):
            return
        if kind == "error" and url.startswith(f"{self.origin}{PAGE}"):
            self.complaints.append(f"{url}: {text}")


@pytest.fixture
def observed(season: Season) -> Iterator[Observed]:
    """Holds at the end of each test that no page called anybody else, and that nothing was wrong on ours."""
    observed = Observed(season.url)
    yield observed
    assert observed.strangers == []
    assert observed.complaints == []


@pytest.fixture
def open_browser(browser: Browser, season: Season, observed: Observed) -> Iterator[Callable[..., Page]]:
    """Opens a browser's first page; nobody is logged in unless told otherwise."""
    contexts: list[BrowserContext] = []

    def open_browser(**options: Any) -> Page:
        context = browser.new_context(**{"base_url": season.url, "viewport": DESKTOP, "locale": "en-GB"} | options)
        context.set_default_timeout(PATIENCE_MS)
        observed.watch(context)
        contexts.append(context)
        return context.new_page()

    yield open_browser
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def session(browser: Browser, season: Season, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a browser remembers once its user has logged in by Airflow's form."""
    remembered = tmp_path_factory.mktemp("session") / "state.json"
    context = browser.new_context(base_url=season.url)
    log_in(context.new_page(), season)
    context.storage_state(path=remembered)
    context.close()
    return remembered


@pytest.fixture
def open_page(open_browser: Callable[..., Page], session: Path) -> Callable[..., Page]:
    """Opens a page of ours in a browser whose user is logged in."""

    def open_page(path: str = PAGE, **options: Any) -> Page:
        page = open_browser(storage_state=session, **options)
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        return page

    return open_page


@pytest.fixture
def dashboard(open_page: Callable[..., Page]) -> Page:
    """The dashboard."""
    return open_page()


@pytest.fixture
def download(dashboard: Page) -> Callable[[str], list[dict[str, str]]]:
    """Clicks the link to a table's CSV, and reads what was downloaded."""

    def download(name: str) -> list[dict[str, str]]:
        with dashboard.expect_download() as downloading:
            dashboard.locator(f"#{name} a.csv").click()
        assert downloading.value.suggested_filename == f"{name}.csv"
        with downloading.value.path().open(newline="") as file:
            return list(csv.DictReader(file))

    return download
