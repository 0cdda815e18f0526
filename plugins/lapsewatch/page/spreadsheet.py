"""The list as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator

from sqlalchemy import RowMapping

from lapsewatch.page.wording import minute, named

COLUMNS = ("domain", "address_count", "phase", "lapsed_at", "witnesses", "reason", "suspicion")

# A spreadsheet takes a cell that begins like this for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(lapses: Iterable[RowMapping]) -> Iterator[str]:
    """Yield the list as lines of CSV (RFC 4180), a heading first; no cell is a formula."""
    yield _line(COLUMNS)
    for lapse in lapses:
        shown = {**lapse, "lapsed_at": minute(lapse["lapsed_at"]), "witnesses": named(lapse["witnesses"])}
        yield _line([_harmless(shown[column]) for column in COLUMNS])


def _line(cells: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
