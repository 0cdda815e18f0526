"""The page is for everybody: in the dark, on a phone, by keyboard, by screen reader; and it never shows an address."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from local.season.browser import PAGE
from tests.browser.conftest import PHONE, Query

GRAVE = {"serious", "critical"}
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
VIEWS = ("dashboard", "domain", "search", "nothing found", "unverifications", "validation", "validations", "not found")

FOCUS = """
    () => {
        const element = document.activeElement, style = getComputedStyle(element);
        return [
            element.className || element.name || element.tagName,
            style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none",
        ];
    }
"""


@pytest.fixture
def paths(status: Query) -> dict[str, str]:
    """Where each kind of page is found."""
    [lapsed] = status("select distinct domain from lapsewatch.address_unverification where state = 'undone'")
    [asked] = status("select run_id from lapsewatch.unverification_approval")
    [validated] = status("select run_id from lapsewatch.check_validation order by validated_at desc limit 1")
    return {
        "dashboard": PAGE,
        "domain": f"{PAGE}domains/{lapsed['domain']}",
        "search": f"{PAGE}domains?q=b",
        "nothing found": f"{PAGE}domains?q=nobody-has-met.example",
        "unverifications": f"{PAGE}runs/{asked['run_id']}/unverifications".replace("+", "%2B"),
        "validation": f"{PAGE}runs/{validated['run_id']}/validation".replace("+", "%2B"),
        "validations": f"{PAGE}validations",
        "not found": f"{PAGE}domains/nobody-has-met.example",
    }


@pytest.fixture
def visit(open_browser: Callable[..., Page], session: Path, paths: dict[str, str]) -> Callable[..., Page]:
    """Opens a kind of page, with everything on it unfolded."""

    def visit(view: str, **options: object) -> Page:
        page = open_browser(storage_state=session, **options)
        page.goto(paths[view])
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
        return page

    return visit


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(visit: Callable[..., Page], view: str, scheme: str) -> None:
    page = visit(view, color_scheme=scheme)
    violations = Axe().run(page).response["violations"]
    grave = [(found["id"], found["nodes"][0]["html"]) for found in violations if found["impact"] in GRAVE]
    assert grave == []


@pytest.mark.parametrize("view", VIEWS)
def test_no_page_scrolls_sideways_on_a_phone(visit: Callable[..., Page], view: str) -> None:
    page = visit(view, viewport=PHONE, is_mobile=True, has_touch=True)
    widths = page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths == [PHONE["width"], PHONE["width"]]


@pytest.mark.parametrize("view", VIEWS)
def test_no_page_shows_an_address(visit: Callable[..., Page], view: str) -> None:
    page = visit(view)
    assert page.get_by_role("heading", level=1).count() == 1
    assert ADDRESS.findall(page.content()) == []


def test_the_dark_is_dark_and_its_charts_are_redrawn(open_page: Callable[..., Page]) -> None:
    page = open_page(color_scheme="light")
    background = "() => getComputedStyle(document.body).backgroundColor"
    ticks = "() => Chart.getChart(document.querySelector('#state canvas')).options.scales.x.ticks.color"
    light, light_ticks = page.evaluate(background), page.evaluate(ticks)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ({ticks})() !== before", arg=light_ticks)
    dark = page.evaluate(background)
    assert brightness(dark) < 60 < 200 < brightness(light)


def brightness(colour: str) -> float:
    """The mean of red, green and blue, 0 to 255."""
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_all_of_it_is_reached_by_keyboard(dashboard: Page) -> None:
    reached = []
    dashboard.keyboard.press("Tab")
    expect(dashboard.locator(".skip")).to_be_focused()
    expect(dashboard.locator(".skip")).to_be_in_viewport()
    for _ in range(400):
        name, is_visible = dashboard.evaluate(FOCUS)
        if name == "BODY":
            break
        assert is_visible, name
        reached.append(name)
        dashboard.keyboard.press("Tab")
    in_order = ["skip", "brand", "q", "BUTTON"]
    assert reached[: len(in_order)] == in_order
    assert reached.count("csv") == dashboard.locator("a.csv").count() > 7
    assert reached.count("SUMMARY") == dashboard.locator("summary").count()
    # What scrolls sideways can be scrolled by keyboard.
    assert reached.count("wide") == dashboard.locator(".wide:visible").count()


def test_the_skip_link_leads_past_the_header(dashboard: Page) -> None:
    dashboard.keyboard.press("Tab")
    dashboard.keyboard.press("Enter")
    expect(dashboard.locator("#content")).to_be_focused()
    dashboard.keyboard.press("Tab")
    assert dashboard.evaluate("() => document.querySelector('main').contains(document.activeElement)")
