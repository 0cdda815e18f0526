"""Rows as CSV, for spreadsheets."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi.responses import Response, StreamingResponse

from lapsewatch.page.wording import minute

# A spreadsheet takes a cell that begins like this for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_response(name: str, columns: Sequence[str], parts: Iterable[Iterable[Mapping[Any, Any]]]) -> Response:
    """Return those columns of the rows as a download of that name; each part of the rows is sent as one piece."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(in_csv(columns, parts), media_type="text/csv", headers=disposition)


def in_csv(columns: Sequence[str], parts: Iterable[Iterable[Mapping[Any, Any]]]) -> Iterator[str]:
    """Yield those columns of the rows as CSV (RFC 4180), with a heading; no cell is a formula."""
    yield _written([columns])
    for part in parts:
        yield _written([_cell(row[column]) for column in columns] for row in part)


def _written(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return minute(value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA_STARTS) else text
