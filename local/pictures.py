"""The README's pictures: the page over three weeks of daily runs, in a real browser."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser
from rich.console import Console

from local import postgres
from local.checkout import ROOT, local_folder
from local.parts import PartFailed
from local.season.browser import PAGE, launched, log_in
from local.season.running import Season, lived

PICTURES = ROOT / "docs" / "pictures"
DESKTOP = {"width": 1280, "height": 1130}
PHONE = {"width": 390, "height": 780}

GIVEN_BACK = "select domain from lapsewatch.address_unverification where state = 'undone' limit 1"

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its name, the page, and how the browser is set."""

    name: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


def take() -> None:
    """Live through the three weeks, and write the pictures over those that are there. Raises PartFailed."""
    state = local_folder("pictures")
    PICTURES.mkdir(exist_ok=True)
    try:
        with (
            launched() as browser,
            tempfile.TemporaryDirectory() as folder,
            postgres.running(postgres.cluster_in(state)) as server,
            console.status("Three weeks of daily runs (a minute or two) ..."),
            lived(server, Path(folder)) as season,
        ):
            for picture in _pictures(season):
                _take(picture, browser, season)
    finally:
        postgres.destroy(state)
    console.print(f"Written to {PICTURES.relative_to(ROOT)}/")


def _pictures(season: Season) -> list[Picture]:
    with psycopg.connect(season.status_url) as connection:
        row = connection.execute(GIVEN_BACK).fetchone()
    if row is None:
        raise PartFailed("nothing was given back in the three weeks")
    return [
        Picture("dashboard", "", {"viewport": DESKTOP}),
        Picture("dashboard-dark", "", {"viewport": DESKTOP, "color_scheme": "dark"}),
        Picture("dashboard-phone", "", {"viewport": PHONE, "is_mobile": True, "device_scale_factor": 2}),
        Picture("domain", f"domains/{row[0]}", {"viewport": DESKTOP | {"height": 860}}),
    ]


def _take(picture: Picture, browser: Browser, season: Season) -> None:
    context = browser.new_context(base_url=season.url, **picture.options)
    page = context.new_page()
    log_in(page, season, f"{PAGE}{picture.path}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{picture.name}.png")
    context.close()
