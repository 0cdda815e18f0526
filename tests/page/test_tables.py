"""Every table as CSV, for spreadsheets."""

import csv
import io
import re

import pytest
from lapsewatch.page.tables import TABLES
from starlette.testclient import TestClient

from tests.page.conftest import NOW, StatusDatabase
from tests.page.reading import cells


@pytest.fixture
def filled(known: StatusDatabase) -> StatusDatabase:
    """Something in every table."""
    known.journal("backfill__one", "plan_batches", NOW)
    known.sum_up("backfill__one", NOW, {"active": (5, 6)}, oldest_checked_at=NOW)
    known.add_domain("soon.example", phase="expired", expired_since=NOW, registrar="=cmd()")
    known.execute(
        "insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count,"
        " api_interval) values ('backfill__one', now(), 0, false, 1, 1, 30)"
    )
    known.add_lapses(1)
    known.ask("backfill__one")
    return known


@pytest.mark.parametrize("name", TABLES)
def test_the_csv_says_what_the_table_says(viewer: TestClient, filled: StatusDatabase, name: str) -> None:
    page = viewer.get("/lapsewatch/").text
    assert f'href="/lapsewatch/tables/{name}.csv" download' in page
    answer = viewer.get(f"/lapsewatch/tables/{name}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    heading, *rows = csv.reader(io.StringIO(answer.text))
    assert heading == [column.name for column in TABLES[name].columns]
    shown = cells(page, name)
    assert len(rows) == len(shown) > 0
    # Numbers and names are the same; times are told to the minute or the day, and nothing as a dash.
    for row, told in zip(rows, shown, strict=True):
        for column, value, text in zip(TABLES[name].columns, row, told, strict=True):
            if column.kind.is_number and column.name != "seconds":
                assert value == text, column.name


def test_no_cell_is_a_formula(viewer: TestClient, filled: StatusDatabase) -> None:
    [row] = csv.DictReader(io.StringIO(viewer.get("/lapsewatch/tables/expiring-soon.csv").text))
    assert row["registrar"] == "'=cmd()"


def test_there_are_no_other_tables(viewer: TestClient, filled: StatusDatabase) -> None:
    for name in ("accounts", "<b>", "state%00"):
        answer = viewer.get(f"/lapsewatch/tables/{name}.csv")
        assert answer.status_code == 404
        assert re.search(r"The tables are: state, unverified-by-day, expiring-soon", answer.text)
