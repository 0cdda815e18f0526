"""Debian's Chromium before that Airflow, without a window."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from local.parts import PartFailed
from local.season.running import Season

PAGE = "/lapsewatch/"


@contextmanager
def launched() -> Iterator[Browser]:
    """Run the browser. Raises PartFailed where it is not installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise PartFailed("Chromium is missing: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        # Without its sandbox: it has none where it runs as root, and it sees our own pages only.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def log_in(page: Page, season: Season, path: str = PAGE) -> None:
    """Ask for a page of ours, be sent to Airflow's login, and log in there."""
    page.goto(path)
    page.get_by_label("Username").fill(season.user)
    page.get_by_label("Password").fill(season.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{path}")
