"""The search: straight to the domain that is meant, and never an address."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.api_fastapi.common import http_access_log
from starlette.testclient import TestClient

from tests.page.conftest import StatusDatabase
from tests.page.reading import cells, said

SEARCH = "/lapsewatch/domains"


@pytest.fixture
def some(known: StatusDatabase) -> StatusDatabase:
    for name in ("example.com", "example.co", "example.community", "münchen.de", "100%.example", "1000.example"):
        known.add_domain(name.replace("münchen", "xn--mnchen-3ya"))
    return known


@pytest.mark.parametrize(
    ("asked", "domain"),
    [
        ("example.com", "example.com"),
        ("  EXAMPLE.com. ", "example.com"),
        ("mail.example.com", "example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("post.MÜNCHEN.de", "xn--mnchen-3ya.de"),
        ("example.comm", "example.community"),
    ],
)
def test_the_one_that_is_meant_is_shown_at_once(
    viewer: TestClient, some: StatusDatabase, asked: str, domain: str
) -> None:
    answer = viewer.get(SEARCH, params={"q": asked})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/lapsewatch/domains/{domain}"


def test_several_are_listed(viewer: TestClient, some: StatusDatabase) -> None:
    page = viewer.get(SEARCH, params={"q": "Exam"}).text
    assert [row[0] for row in cells(page, "found")] == ["example.co", "example.com", "example.community"]


def test_no_more_than_fifty_are_listed(viewer: TestClient, known: StatusDatabase) -> None:
    known.add_lapses(60)
    page = viewer.get(SEARCH, params={"q": "lapsed"}).text
    assert len(cells(page, "found")) == 50
    assert "The first 50 are shown: write more of the name." in said(page)


@pytest.mark.parametrize("asked", ["10%", "_xample", "\\"])
def test_no_letter_stands_for_others(viewer: TestClient, some: StatusDatabase, asked: str) -> None:
    assert "Nothing found" in viewer.get(SEARCH, params={"q": asked}).text


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("unknown.org", "No run has met it."),
        ("mail.unknown.org", "It lives under unknown.org, which no run has met either."),
        ("gmail.com", "It is a well-known provider, and those are not asked about."),
        ("co.uk", "It is no registrable domain either: it is a public suffix"),
        ("<script>alert(1)</script>", "It is no registrable domain either: its host is none."),
    ],
)
def test_what_is_unknown_is_told_with_what_is_known_of_it(
    viewer: TestClient, some: StatusDatabase, asked: str, why: str
) -> None:
    answer = viewer.get(SEARCH, params={"q": asked})
    assert answer.status_code == 200
    assert "Nothing found" in answer.text
    assert why in said(answer.text)
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "asked", ["somebody@example.com", "Some Body <somebody@example.com>", "somebody@", "@somebody"]
)
def test_an_address_is_neither_looked_up_nor_shown(viewer: TestClient, some: StatusDatabase, asked: str) -> None:
    answer = viewer.get(SEARCH, params={"q": asked})
    assert answer.status_code == 200
    assert "leave out the @ and what is before it" in said(answer.text)
    assert "somebody" not in answer.text.lower()


def test_nor_is_it_carried_through_the_login(anonymous: TestClient) -> None:
    answer = anonymous.get(SEARCH, params={"q": "somebody@example.com"})
    assert answer.status_code == 307
    assert answer.headers["location"] == "/api/v2/auth/login?next=%2Flapsewatch%2Fdomains"
    kept = anonymous.get(SEARCH, params={"q": "example.com"})
    assert kept.headers["location"] == "/api/v2/auth/login?next=%2Flapsewatch%2Fdomains%3Fq%3Dexample.com"


@pytest.mark.parametrize(
    "path", ["domains?q=somebody%40example.com", "domains/somebody@example.com", "domains/some%40example.com"]
)
def test_nor_is_it_in_airflows_access_log(
    anonymous: TestClient, log_in: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(http_access_log, "logger", SimpleNamespace(info=lambda _, **told: logged.append(told)))
    assert "some" not in anonymous.get(f"/lapsewatch/{path}").headers["location"]
    log_in("VIEWER").get(f"/lapsewatch/{path}")
    assert [told["status_code"] for told in logged][:1] == [307]
    assert len(logged) == 2
    assert "some" not in str(logged)


def test_the_field_does_not_even_send_an_address(viewer: TestClient, some: StatusDatabase) -> None:
    page = viewer.get(SEARCH).text
    assert 'pattern="[^@]*"' in page
    assert "Name a domain, a host under it, or how its name begins." in said(page)


@pytest.mark.parametrize("asked", ["\x00", "x" * 1001])
def test_what_can_be_no_name_is_not_found(viewer: TestClient, some: StatusDatabase, asked: str) -> None:
    assert viewer.get(SEARCH, params={"q": asked}).status_code == 404
