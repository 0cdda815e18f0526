"""What a browser shows, as figures."""

from typing import Any

from playwright.sync_api import Locator

CELLS = """
    table => [...table.tBodies[0].rows].map(
        row => [...row.cells].map(cell => cell.dataset.value ?? cell.dataset.label ?? cell.textContent.trim())
    )
"""
CHART = """
    canvas => {
        const chart = Chart.getChart(canvas);
        return {labels: chart.data.labels, data: chart.data.datasets.map(series => [...series.data])};
    }
"""
INK = """
    canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const colours = new Set();
        for (let at = 0; at < pixels.length; at += 4) {
            if (pixels[at + 3]) colours.add(`${pixels[at]},${pixels[at + 1]},${pixels[at + 2]}`);
        }
        return colours.size;
    }
"""


def cells(table: Locator) -> list[list[str]]:
    """Return the rows of a table: of each cell its value, or its text; also where it is folded away."""
    found: list[list[str]] = table.evaluate(CELLS)
    return found


def chart(canvas: Locator) -> dict[str, Any]:
    """Return what a chart is drawn from: its labels, and the values of each series."""
    found: dict[str, Any] = canvas.evaluate(CHART)
    return found


def colours(canvas: Locator) -> int:
    """Return how many colours are on a canvas; a blank one has none."""
    found: int = canvas.evaluate(INK)
    return found


def written_in_tables(table: Locator) -> list[str]:
    """Return what is in the first cell of each row."""
    return [row[0] for row in cells(table)]
