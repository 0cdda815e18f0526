import pytest
import requests
from lapsewatch.clients import json_over_http
from lapsewatch.clients.errors import BadAnswer, RemoteFault
from lapsewatch.clients.json_over_http import HttpAnswer, retry_after_seconds

from tests.clients.conftest import Scripted

NOON = "Sun, 01 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "Sun, 01 Nov 2026 12:01:30 GMT", "Date": NOON}, 90.0),
        ({"Retry-After": "Sunday, 01-Nov-26 12:01:30 GMT", "Date": NOON}, 90.0),
        ({"Retry-After": "Sun Nov  1 12:01:30 2026", "Date": NOON}, 90.0),
        ({"Retry-After": "Sun, 01 Nov 2026 11:59:00 GMT", "Date": NOON}, 0.0),
        ({"Retry-After": "Tue, 01 Jan 2019 00:00:00 GMT"}, 0.0),
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1e3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Sun, 99 Nov 2026 12:00:00 GMT", "Date": NOON}, None),
    ],
)
def test_a_pause_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


@pytest.mark.parametrize("code", [200, 301, 404, 500])
def test_every_answer_comes_back_with_its_code(session: requests.Session, scripted: Scripted, code: int) -> None:
    scripted.code, scripted.body = code, b'{"a": 1}'
    scripted.headers = {"Location": f"{scripted.url}/elsewhere", "Retry-After": "7"}
    answer = json_over_http.get(session, f"{scripted.url}/here", headers={}, timeout=(1, 5), max_bytes=100)
    assert answer == HttpAnswer(code, '{"a": 1}', 7.0)
    assert scripted.asked == ["/here"]


def test_a_redirect_too_is_read_no_further_than_its_bound(session: requests.Session, scripted: Scripted) -> None:
    scripted.code, scripted.body = 302, b" " * 1000
    scripted.headers = {"Location": f"{scripted.url}/elsewhere"}
    with pytest.raises(BadAnswer):
        json_over_http.get(session, scripted.url, headers={}, timeout=(1, 5), max_bytes=100)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{'a': 1}", "9" * 5000])
def test_what_is_not_json_is_a_fault(text: str) -> None:
    with pytest.raises(RemoteFault):
        HttpAnswer(200, text, None).json()


def test_what_is_kept_of_an_answer_can_be_kept() -> None:
    assert HttpAnswer(200, "a\x00b" + "c" * 5000, None).raw == "ab" + "c" * 1997
