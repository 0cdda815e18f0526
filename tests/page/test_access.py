"""Who may see the page, and what browsers may do with it."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow import plugins_manager
from lapsewatch.page.rendering import STATIC
from lapsewatch.page.tables import TABLES
from starlette.testclient import TestClient

from tests.e2e.conftest import connection_json
from tests.page.conftest import StatusDatabase
from tests.page.reading import said

PAGES = (
    "/lapsewatch/",
    "/lapsewatch/domains",
    "/lapsewatch/domains/example.com",
    "/lapsewatch/domains/example.com/checks.csv",
    *(f"/lapsewatch/tables/{name}.csv" for name in TABLES),
)


@pytest.mark.parametrize("url", PAGES)
def test_without_a_session_there_is_no_page(anonymous: TestClient, known: StatusDatabase, url: str) -> None:
    known.add_domain("example.com")
    answer = anonymous.get(url)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("/api/v2/auth/login?next=%2Flapsewatch%2F")
    assert answer.content == b""
    assert anonymous.get(url, headers={"Authorization": "Bearer nonsense"}).status_code in {401, 403}


@pytest.mark.parametrize("url", PAGES)
def test_a_user_who_may_not_read_the_dag_is_refused(
    log_in: Callable[..., TestClient], known: StatusDatabase, url: str
) -> None:
    known.add_domain("example.com")
    refused = log_in(None).get(url)
    assert refused.status_code == 403
    assert "This page is for users who may read check_domain_status." in refused.text
    assert log_in("VIEWER").get(url).status_code == 200


@pytest.mark.parametrize("url", PAGES)
def test_it_only_reads(viewer: TestClient, known: StatusDatabase, url: str) -> None:
    known.add_domain("example.com")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert viewer.request(method, url).status_code == 405, method


@pytest.mark.parametrize("url", PAGES)
def test_browsers_are_told_to_run_and_keep_nothing_foreign(viewer: TestClient, known: StatusDatabase, url: str) -> None:
    known.add_domain("example.com")
    headers = viewer.get(url).headers
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", PAGES)
def test_without_the_status_database_it_says_what_to_do(
    viewer: TestClient, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json("postgresql://me:secret@127.0.0.1:1/nothing"))
    answer = viewer.get(url)
    assert answer.status_code == 503
    assert "This page can't be read now: the status database can't be reached" in said(answer.text)
    assert "secret" not in answer.text


def test_what_the_database_says_of_an_error_is_not_shown(viewer: TestClient, known: StatusDatabase) -> None:
    known.add_domain("example.com")
    known.execute("alter table lapsewatch.domain_status rename column reason to secret")
    answer = viewer.get("/lapsewatch/domains/example.com")
    assert answer.status_code == 503
    told = said(answer.text)
    assert "This page can't be read now: the status database failed (ProgrammingError)." in told
    for quoted in ("psycopg", "column", "reason", "secret", "select"):
        assert quoted not in told, quoted


def test_a_program_that_brings_no_session_is_not_led_to_the_login(anonymous: TestClient, known: StatusDatabase) -> None:
    # Its credentials are of a kind that Airflow does not read, so that it counts as not logged in.
    answer = anonymous.get("/lapsewatch/", headers={"Authorization": "Basic bmFtZTpwYXNz"})
    assert answer.status_code == 401
    assert "location" not in answer.headers


@pytest.mark.parametrize("url", ["/lapsewatch/", "/lapsewatch/domains/example.com", "/lapsewatch/domains"])
def test_a_page_is_made_of_files_of_ours(viewer: TestClient, known: StatusDatabase, url: str) -> None:
    known.add_domain("example.com")
    page = viewer.get(url).text
    assert " style=" not in page
    assert re.findall(r"<script(?! src)|<style| on\w+=", page) == []
    loaded = re.findall(r'(?:src|link rel="\w+" href)="([^"]*)"', page)
    assert any("style.css" in path for path in loaded)
    for path in loaded:
        assert path.startswith("/lapsewatch/static/")
        answer = viewer.get(path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["Cache-Control"]


def test_the_path_of_a_file_changes_with_what_is_in_it(viewer: TestClient, known: StatusDatabase) -> None:
    page = viewer.get("/lapsewatch/").text
    named = dict(re.findall(r'"/lapsewatch/static/([^"?]*)\?(\w+)"', page))
    assert len(named) == len({*named.values()}) == 5
    for name, digest in named.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest().startswith(digest)


def test_chart_js_is_the_one_that_its_readme_names() -> None:
    folder: Path = STATIC / "chart.js"
    shipped = folder / "chart.umd.min.js"
    told = re.search(r"\| `chart\.umd\.min\.js` \| `(\w{64})` \|", (folder / "README.md").read_text())
    assert told
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() == told[1]
    [version] = re.findall(r"Chart\.js v([\d.]+)", shipped.read_text()[:200])
    assert f"Version {version}," in (folder / "README.md").read_text()
    assert "MIT License" in (folder / "LICENSE.md").read_text()


def test_airflows_navigation_leads_to_the_page(viewer: TestClient, known: StatusDatabase) -> None:
    views, _ = plugins_manager._get_ui_plugins()
    [view] = [view for view in views if view["name"] == "Lapsewatch"]
    assert (view["destination"], view["url_route"]) == ("nav", "lapsewatch")
    assert viewer.get(view["href"]).status_code == 200
    assert viewer.get(view["icon"]).headers["content-type"] == "image/svg+xml"
