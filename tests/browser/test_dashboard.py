"""Each section of the dashboard shows what SQL says, asked of the tables, past the views that the page is made of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from local.season.browser import PAGE
from tests.browser.conftest import Query
from tests.browser.reading import cells, chart, colours, written_in_tables

SUMMED_UP = "(select * from lapsewatch.run_metrics order by finished_at desc limit 1) as run"
CHARTS = ("state", "unverified-by-day", "last-run", "calls")


def numbers(rows: list[list[str]], *columns: int) -> list[tuple[Decimal | None, ...]]:
    return [tuple(Decimal(row[column]) if row[column] else None for column in columns) for row in rows]


def values(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows]


def last_days(count: int) -> list[str]:
    today = datetime.now(UTC).date()
    return [str(today - timedelta(days=back)) for back in reversed(range(count))]


@pytest.mark.parametrize("section", CHARTS)
def test_a_chart_is_drawn_from_the_figures_of_its_table(dashboard: Page, section: str) -> None:
    canvas = dashboard.locator(f"#{section} canvas")
    expect(canvas).to_be_visible()
    table = dashboard.locator(f"#table-{section}")
    headings = table.locator("thead th").evaluate_all("cells => cells.map(cell => cell.dataset.series ?? '')")
    drawn = [column for column, series in enumerate(headings) if series]
    assert drawn
    rows = cells(table)
    shown = chart(canvas)
    assert shown["labels"] == [row[0] for row in rows]
    assert shown["data"] == [[float(row[column]) for row in rows] for column in drawn]
    assert any(any(series) for series in shown["data"])
    # Its axes and its bars.
    assert colours(canvas) > 2


def test_there_is_no_other_chart(dashboard: Page) -> None:
    assert dashboard.locator("figure.chart canvas").count() == len(CHARTS)


def test_the_state_and_what_changed_since_yesterday(dashboard: Page, status: Query) -> None:
    counted = status(
        """
        with last_of_day as (
            select distinct on (day) run_id, dense_rank() over (order by day desc) as age
            from (select *, cast(finished_at at time zone 'UTC' as date) as day from lapsewatch.run_metrics) as run
            order by day, finished_at desc
        ),
        counted as (select * from lapsewatch.run_phase join last_of_day using (run_id))
        select coalesce(now.domain_count, 0), coalesce(now.domain_count, 0) - coalesce(past.domain_count, 0) as a,
               coalesce(now.address_count, 0) as b,
               coalesce(now.address_count, 0) - coalesce(past.address_count, 0) as c
        from (select * from counted where age = 1) as now
        full join (select * from counted where age = 2) as past using (phase)
        """
    )
    found = numbers(cells(dashboard.locator("#table-state")), 1, 2, 3, 4)
    assert len(found) > 2
    assert any(row[1] or row[3] for row in found), "something has changed since yesterday"
    assert sorted(found) == sorted(values(counted))


def test_who_was_unverified_on_which_day(dashboard: Page, status: Query) -> None:
    found = cells(dashboard.locator("#table-unverified-by-day"))
    assert [row[0] for row in found] == last_days(90)
    counted = status(
        """
        select cast(cast(coalesce(settled_at, planned_at) at time zone 'UTC' as date) as text) as day,
               count(*) filter (where state in ('unverified', 'undoing', 'undone')) as unverified,
               count(*) filter (where state = 'dry_run') as would_be,
               count(*) filter (where state = 'undone') as undone
        from lapsewatch.address_unverification
        where state in ('unverified', 'undoing', 'undone', 'dry_run')
        group by 1
        """
    )
    by_day = {row.pop("day"): tuple(row.values()) for row in counted}
    assert sum(row[0] for row in by_day.values()) > 20
    assert any(row[1] for row in by_day.values())
    assert any(row[2] for row in by_day.values())
    shown = dict(zip(last_days(90), numbers(found, 1, 2, 3), strict=True))
    assert {day: row for day, row in shown.items() if any(row)} == by_day


EXPIRING = """
    select domain, phase, address_count, expires_at,
           (select count(*) from lapsewatch.account_at_risk as risk where risk.domain = status.domain) as accounts,
           least(
               expires_at, expired_since, expires_at - case when expires_at > expired_since then interval '1 year' end
           ) as paid_until,
           adverse_since
    from lapsewatch.domain_status as status
    where address_count > 0
      and (phase in ('expired', 'redemption')
           or phase in ('active', 'held', 'undelegated', 'unknown')
              and expires_at between now() - interval '45 days' and now() + interval '30 days')
"""


def test_what_expires_soon(dashboard: Page, status: Query, download: Callable[[str], list[dict[str, str]]]) -> None:
    expected = {row["domain"]: row for row in status(EXPIRING)}
    assert {row["phase"] for row in expected.values()} >= {"active", "expired", "redemption"}
    rows = download("expiring-soon")
    assert {row["domain"] for row in rows} == expected.keys()
    now = datetime.now(UTC)
    for row in rows:
        known = expected[row["domain"]]
        assert int(row["address_count"]) == known["address_count"]
        assert int(row["single_address_account_count"]) == known["accounts"]
        begins = known["adverse_since"] if known["phase"] == "redemption" else known["paid_until"]
        assert abs(int(row["days_left"]) - max(0, (begins + timedelta(days=30) - now).days)) <= 1
    days_left = [int(row["days_left"]) for row in rows]
    assert days_left == sorted(days_left)
    shown = cells(dashboard.locator("#table-expiring-soon"))
    assert [row[0] for row in shown] == [row["domain"] for row in rows[:50]]
    assert numbers(shown, 2, 4, 5) == [
        (int(row["days_left"]), int(row["address_count"]), int(row["single_address_account_count"]))
        for row in rows[:50]
    ]


def test_the_stages_of_the_last_run(dashboard: Page, status: Query) -> None:
    stages = status(
        """
        select stage, round(extract(epoch from max(finished_at) - min(started_at)), 1) as seconds, max(state) as state,
               nullif(count(*) filter (where batch >= 0), 0) as batches
        from lapsewatch.run_stage
        where run_id = (select run_id from lapsewatch.run_stage order by started_at desc limit 1)
        group by stage
        order by min(started_at)
        """
    )
    found = cells(dashboard.locator("#table-last-run"))
    assert [(row[0], Decimal(row[1]), row[2], int(row[3]) if row[3] else None) for row in found] == values(stages)
    assert len(found) > 5
    expect(dashboard.locator("#last-run")).to_contain_text("waits for an answer")


def test_the_calls_of_each_day_and_of_the_month(dashboard: Page, status: Query) -> None:
    found = cells(dashboard.locator("#table-calls"))
    assert [row[0] for row in found] == last_days(31)
    spent = status("select cast(day as text), sum(call_count) as calls from lapsewatch.call_spending group by 1")
    calls = {row["day"]: row["calls"] for row in spent}
    asked = status(
        """
        select cast(cast(finished_at at time zone 'UTC' as date) as text) as day, sum(rdap_call_count) as rdap,
               sum(dns_call_count) as dns
        from lapsewatch.run_metrics
        group by 1
        """
    )
    questions = {row["day"]: (row["rdap"], row["dns"]) for row in asked}
    for day, row in zip(last_days(31), numbers(found, 1, 2, 3, 4), strict=True):
        assert row[:2] == (calls.get(day, 0), calls.get(day, 0) / Decimal(1000)), day
        assert row[2:] == questions.get(day, (0, 0)), day
    [month] = status(
        "select sum(call_count) as calls from lapsewatch.call_spending"
        " where day >= date_trunc('month', now() at time zone 'UTC') and provider = 'fastly'"
    )
    budgets = dashboard.locator("#calls .budget strong").evaluate_all("found => found.map(each => each.dataset.value)")
    assert int(budgets[-1]) == month["calls"]


def test_the_coverage(dashboard: Page, status: Query) -> None:
    [row] = status(
        f"select in_use_count, fresh_count, round(fresh_count / cast(in_use_count as numeric), 4), never_checked_count"
        f" from {SUMMED_UP}"
    )
    assert numbers(cells(dashboard.locator("#table-coverage")), 0, 1, 2, 3) == [tuple(row.values())]
    assert row["in_use_count"] > 400


def test_the_runs_of_the_backfill(dashboard: Page, status: Query) -> None:
    runs = status(
        """
        select run_id, count(*) as planned, count(checked_at) as asked, sum(call_count) as calls
        from lapsewatch.domain_check
        where starts_with(run_id, 'backfill')
        group by run_id
        order by min(planned_at) desc
        """
    )
    found = cells(dashboard.locator("#table-backfill"))
    assert len(found) > 1
    assert [(row[0], int(row[2]), int(row[3]), int(row[7])) for row in found] == values(runs)


def test_the_question_that_waits_can_be_answered_from_here(dashboard: Page, status: Query) -> None:
    [question] = status("select * from lapsewatch.unverification_approval where answer is null")
    [row] = cells(dashboard.locator("#table-approvals"))
    assert row[0] == question["run_id"]
    assert [int(row[2]), int(row[3]), int(row[4])] == [
        question["address_count"],
        question["domain_count"],
        question["suspicious_count"],
    ]
    dashboard.get_by_role("link", name="Answer in Airflow").last.click()
    dashboard.wait_for_url(lambda url: question["run_id"] in unquote(url))
    expect(dashboard.get_by_text(f"Unverify {question['address_count']} addresses", exact=False).first).to_be_visible()
    dashboard.goto(PAGE)
    dashboard.locator("#approvals").get_by_role("link", name="The list of", exact=False).click()
    expect(dashboard.get_by_role("heading", level=1)).to_contain_text(f"{question['address_count']} addresses")
    expect(dashboard.get_by_text("rowing-club.org")).to_be_visible()


def test_the_figures_are_there_without_scripts(open_page: Callable[..., Page], dashboard: Page) -> None:
    plain = open_page(java_script_enabled=False)
    assert plain.locator("canvas").count() == 0
    assert plain.locator("#table-state tbody tr").count() == len(cells(dashboard.locator("#table-state")))


def test_every_table_is_there_as_csv_with_the_same_figures(
    dashboard: Page, download: Callable[[str], list[dict[str, str]]]
) -> None:
    names = dashboard.locator("a.csv").evaluate_all("links => links.map(each => each.pathname.split('/').pop())")
    assert len(names) > 7
    for name in (name.removesuffix(".csv") for name in names):
        shown = written_in_tables(dashboard.locator(f"#table-{name}"))
        rows = download(name)
        assert len(rows) >= len(shown), name
        for row, cell in zip(rows, shown, strict=False):
            assert next(iter(row.values())) in {cell, cell.replace("\N{EN DASH}", "")}, name
