"""The list as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator

from sqlalchemy import RowMapping

from lapsewatch.page.wording import minute, named

COLUMNS = ("domain", "address_count", "phase", "lapsed_at", "witnesses", "reason", "suspicion")

# A spreadsheet takes a cell that begins like this for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def in_csv(parts: Iterable[Iterable[RowMapping]]) -> Iterator[str]:
    """Yield the list as CSV (RFC 4180): a heading, then each part of the rows as one piece; no cell is a formula."""
    yield _written([COLUMNS])
    for part in parts:
        yield _written(_cells(lapse) for lapse in part)


def _cells(lapse: RowMapping) -> list[object]:
    shown = {**lapse, "lapsed_at": minute(lapse["lapsed_at"]), "witnesses": named(lapse["witnesses"])}
    return [_harmless(shown[column]) for column in COLUMNS]


def _written(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
