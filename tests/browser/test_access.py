"""Who is not logged in sees nothing of the page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.season.browser import PAGE, log_in
from local.season.running import Season

PATHS = (PAGE, f"{PAGE}domains?q=a", f"{PAGE}domains/example.com", f"{PAGE}tables/state.csv", f"{PAGE}validations")


@pytest.mark.parametrize("path", PATHS)
def test_without_a_session_one_is_sent_to_log_in(open_browser: Callable[..., Page], path: str) -> None:
    page = open_browser()
    page.goto(path)
    expect(page.get_by_label("Password")).to_be_visible()
    assert "/login" in page.url
    assert page.locator("main section, table").count() == 0


@pytest.mark.parametrize("path", PATHS)
def test_a_bad_token_is_refused(open_browser: Callable[..., Page], season: Season, path: str) -> None:
    page = open_browser()
    bearer = page.request.get(path, headers={"Authorization": "Bearer nonsense"}, max_redirects=0)
    assert bearer.status in {401, 403}
    page.context.add_cookies([{"name": "_token", "value": "nonsense", "url": season.url}])
    cookie = page.request.get(path, max_redirects=0)
    assert cookie.status in {303, 307, 401, 403}
    assert "<table" not in bearer.text() + cookie.text()


def test_who_logs_in_comes_back_to_the_page(open_browser: Callable[..., Page], season: Season) -> None:
    page = open_browser()
    log_in(page, season)
    expect(page.locator("#state table")).to_be_visible()


def test_airflows_navigation_opens_the_page_in_a_frame(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Lapsewatch").first.click()
    page.wait_for_url("**/plugin/lapsewatch**")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#state canvas")).to_be_visible()
    with page.expect_download() as download:
        frame.locator("#state a.csv").click()
    assert download.value.suggested_filename == "state.csv"
    assert download.value.path().read_text().startswith("phase,")
    # A domain stays in the frame, a run of Airflow's leaves it.
    frame.locator("#table-expiring-soon th a").first.click()
    expect(frame.locator("ol.timeline")).to_be_visible()
    frame.get_by_role("link", name="Lapsewatch", exact=True).click()
    frame.locator("#last-run a[target=_top]").first.click()
    page.wait_for_url("**/dags/check_domain_status/runs/**")
    expect(page.locator("iframe")).to_have_count(0)


@pytest.mark.parametrize("asked", [{"modifiers": ["ControlOrMeta"]}, {"button": "middle"}], ids=["control", "middle"])
def test_a_link_that_leaves_the_frame_opens_another_tab_for_who_asks_for_it(
    open_page: Callable[..., Page], asked: dict[str, Any]
) -> None:
    page = open_page("/plugin/lapsewatch")
    frame = page.frame_locator("iframe")
    with page.context.expect_page() as opened:
        frame.locator("#last-run a[target=_top]").first.click(**asked)
    opened.value.wait_for_url("**/dags/check_domain_status/runs/**")
    # The dashboard stays where it is.
    expect(frame.locator("#state canvas")).to_be_visible()
    assert "/plugin/lapsewatch" in page.url
