"""The dashboard: its figures, and what it says when something is missing, late or wrong."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from airflow.models.backfill import Backfill, BackfillDagRun
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from lapsewatch.page.addresses import DAG_ID
from sqlalchemy import Engine, delete, event
from starlette.testclient import TestClient

from tests.page.conftest import NOW, StatusDatabase
from tests.page.reading import cells, notices, said, section

PAGE = "/lapsewatch/"
RUN = "scheduled__2026-11-22T00:00:00+00:00"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECTIONS = (
    "state", "unverified-by-day", "expiring-soon", "last-run", "calls", "coverage", "backfill", "approvals",
)  # fmt: skip
MOST_STATEMENTS = 14


@pytest.fixture
def run(known: StatusDatabase) -> StatusDatabase:
    """A run that has ended well an hour ago."""
    known.journal(RUN, "extract_domains", NOW - 2 * HOUR, 12)
    known.journal(RUN, "plan_batches", NOW - 1.9 * HOUR, 3)
    known.sum_up(RUN, NOW - HOUR, {"active": (900, 1200), "redemption": (3, 5)})
    return known


@contextmanager
def counting_statements() -> Iterator[list[str]]:
    made: list[str] = []

    def note(*call: object) -> None:
        made.append(str(call[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_before_the_first_run_it_says_what_to_do(viewer: TestClient, known: StatusDatabase) -> None:
    answer = viewer.get(PAGE)
    assert answer.status_code == 200
    [(concern, text)] = notices(answer.text).items()
    assert concern == "empty"
    assert text.startswith("No run yet. Unpause the DAG check_domain_status in Airflow")
    assert '<a href="/dags/check_domain_status" target="_top">' in answer.text
    empty = [name for name in SECTIONS if 'class="nothing"' in section(answer.text, name)]
    assert empty == [name for name in SECTIONS if name != "unverified-by-day"]


def test_a_run_that_ended_well_is_told(viewer: TestClient, run: StatusDatabase) -> None:
    assert list(notices(viewer.get(PAGE).text)) == ["well"]


def test_the_state_is_shown_with_what_changed_since_yesterday(viewer: TestClient, run: StatusDatabase) -> None:
    run.sum_up("long ago", NOW - 3 * DAY, {"active": (1, 1)})
    run.sum_up("yesterday", NOW - DAY - 2 * HOUR, {"active": (890, 1204), "expired": (2, 2), "redemption": (3, 1)})
    run.sum_up("earlier today", NOW - 1.5 * HOUR, {"active": (7, 7)})
    if (NOW - 1.5 * HOUR).date() != (NOW - HOUR).date():
        run.execute("delete from lapsewatch.run_metrics where run_id = 'earlier today'")
    page = viewer.get(PAGE).text
    # In the order of a domain's life: domains, since yesterday, addresses, since yesterday.
    assert cells(page, "state") == [
        ["active", "900", "10", "1200", "-4"],
        ["expired", "0", "-2", "0", "-2"],
        ["redemption", "3", "0", "5", "4"],
    ]
    state = said(section(page, "state"))
    assert "+10" in state
    assert "\N{MINUS SIGN}4" in state
    assert "no change" in state
    headline = said(re.search(r'<dl class="headline">.*?</dl>', page, re.DOTALL)[0])
    assert "Domains in use 903 1,205 addresses On their way out 3 expired or in redemption" in headline


def test_on_their_way_out_are_those_that_can_still_be_renewed(viewer: TestClient, run: StatusDatabase) -> None:
    phases = {"active": (9, 9), "expired": (4, 6), "redemption": (2, 2), "pending_delete": (8, 8)}
    run.sum_up("newest", NOW, phases)
    assert "On their way out 6" in said(viewer.get(PAGE).text)


def test_without_a_yesterday_no_change_is_claimed(viewer: TestClient, run: StatusDatabase) -> None:
    assert cells(viewer.get(PAGE).text, "state")[0] == ["active", "900", "", "1200", ""]


def test_unverifications_are_counted_by_day_and_dry_runs_apart(viewer: TestClient, run: StatusDatabase) -> None:
    for name, count in {"one.example": 3, "two.example": 1}.items():
        run.add_domain(name)
        run.add_lapse(name)
        for number in range(count):
            run.add_unverification(f"{name} {number}", name, settled_at=NOW)
    undone = {"state": "undone", "undone_at": NOW, "undone_by": "Ann", "undone_why": "a mistake"}
    run.add_unverification("given back", "one.example", settled_at=NOW - 2 * DAY, **undone)
    run.add_unverification("would be", "one.example", state="dry_run", dry_run=True, planned_at=NOW - DAY)
    run.add_unverification("skipped", "one.example", state="skipped", settled_at=NOW)
    run.add_unverification("a month ago", "one.example", settled_at=NOW - 30 * DAY)
    run.add_unverification("older", "one.example", settled_at=NOW - 91 * DAY)
    page = viewer.get(PAGE).text
    rows = cells(page, "unverified-by-day")
    assert len(rows) == 90
    # Day, unverified, would have been, given back since, domains.
    assert rows[-4:] == [
        [f"{NOW - 3 * DAY:%Y-%m-%d}", "0", "0", "0", "0"],
        [f"{NOW - 2 * DAY:%Y-%m-%d}", "1", "0", "1", "1"],
        [f"{NOW - DAY:%Y-%m-%d}", "0", "1", "0", "0"],
        [f"{NOW:%Y-%m-%d}", "4", "0", "0", "2"],
    ]
    assert sum(int(row[1]) for row in rows) == 6
    assert "Unverified in 30 days 5 1 more by dry runs" in said(page)


def test_the_nearest_fifty_of_those_that_expire_are_shown_and_the_csv_has_all(
    viewer: TestClient, run: StatusDatabase
) -> None:
    for number in range(55):
        run.add_domain(f"d{number:02}.example", expires_at=NOW + timedelta(days=number % 20 + 1, hours=1))
    run.add_domain("gone.example", phase="redemption", adverse_since=NOW - 27.5 * DAY, address_count=4)
    run.add_domain("undated.example", phase="expired", checked_at=NOW - DAY)
    run.add_domain("safe.example", expires_at=NOW + 300 * DAY)
    run.add_domain("unused.example", expires_at=NOW + DAY, address_count=0)
    run.execute(
        "insert into lapsewatch.account_at_risk (account_key, address_key, host, domain, seen_at)"
        " select 'account' || n, 'address' || n, domain, domain, now()"
        " from (values ('gone.example')) as on_it (domain), generate_series(1, 2) as n"
    )
    page = viewer.get(PAGE).text
    rows = cells(page, "expiring-soon")
    assert len(rows) == 50
    assert rows[1][:6] == ["gone.example", "redemption", "2", f"{NOW + 2.5 * DAY:%Y-%m-%d}", "4", "2"]
    assert [int(row[2]) for row in rows] == sorted(int(row[2]) for row in rows)
    assert "The nearest 50 are shown; the CSV has all." in said(page)
    lines = viewer.get("/lapsewatch/tables/expiring-soon.csv").text.splitlines()
    assert len(lines) == 1 + 57
    assert lines[1].startswith("undated.example,expired,0,")
    assert "safe.example" not in str(lines)
    assert "unused.example" not in str(lines)


def test_the_last_run_is_shown_by_stages_with_its_trouble_in_words(viewer: TestClient, known: StatusDatabase) -> None:
    known.journal(RUN, "extract_domains", NOW - 2 * HOUR, 12.5)
    known.journal(RUN, "check_batch", NOW - 1.8 * HOUR, 60, batch=0)
    failed = {"state": "failed", "error": "the API refuses <everybody>"}
    known.journal(RUN, "check_batch", NOW - 1.8 * HOUR + timedelta(seconds=30), 90, batch=1, **failed)
    known.sum_up(RUN, NOW - HOUR, state="failed", failed_stage="check_batch", error="the API refuses <everybody>")
    page = viewer.get(PAGE).text
    rows = cells(page, "last-run")
    assert [row[:4] for row in rows] == [
        ["extract_domains", "12.5", "success", ""],
        ["check_batch", "120.0", "failed", "2"],
    ]
    assert rows[1][5] == "the API refuses <everybody>"
    told = notices(page)
    assert list(told) == ["failed"]
    assert told["failed"].startswith("The last run failed at check_batch. The API refuses <everybody>. It ended on ")
    assert "<everybody>" not in page
    run_url = "/dags/check_domain_status/runs/scheduled__2026-11-22T00%3A00%3A00%2B00%3A00"
    assert f'<a href="{run_url}" target="_top">Open the run in Airflow</a>' in page


def test_a_stage_lasts_until_now_or_until_the_run_was_summed_up(viewer: TestClient, known: StatusDatabase) -> None:
    known.journal(RUN, "check_batch", NOW - 2 * HOUR, 60, batch=0)
    known.journal(RUN, "check_batch", NOW - 2 * HOUR, None, batch=1)
    [[_, seconds, state, *_]] = cells(viewer.get(PAGE).text, "last-run")
    assert (state, float(seconds) >= 7200) == ("running", True)
    # Of a run before it was cleared.
    known.sum_up(RUN, NOW - 3 * HOUR, state="failed")
    assert cells(viewer.get(PAGE).text, "last-run")[0][1] >= seconds
    known.execute("update lapsewatch.run_metrics set finished_at = %(at)s", at=NOW - HOUR)
    assert cells(viewer.get(PAGE).text, "last-run")[0][1] == "3600.0"


def test_a_daily_run_that_failed_is_told_whatever_backfills_do(viewer: TestClient, run: StatusDatabase) -> None:
    run.sum_up("scheduled__tomorrow", NOW - HOUR / 2, state="failed", failed_stage="check_batch", error="no key")
    run.journal("backfill__one", "extract_domains", NOW - HOUR / 3)
    run.sum_up("backfill__one", NOW - HOUR / 4, {"active": (900, 1200)})
    told = notices(viewer.get(PAGE).text)
    assert list(told) == ["failed"]
    assert told["failed"].startswith("The last run failed at check_batch. No key.")
    run.execute("delete from lapsewatch.run_metrics where not starts_with(run_id, 'backfill')")
    assert list(notices(viewer.get(PAGE).text)) == ["well"]


def test_what_no_run_has_counted_is_no_figure(viewer: TestClient, known: StatusDatabase) -> None:
    known.journal(RUN, "extract_domains", NOW - 2 * HOUR, state="failed", error="no such user database")
    known.sum_up(RUN, NOW - HOUR, state="failed", in_use_count=None)
    page = viewer.get(PAGE).text
    headline = re.search(r'<dl class="headline">.*?</dl>', page, re.DOTALL)[0]
    assert "None" not in headline
    assert said(headline).startswith("Domains in use \N{EN DASH} not counted yet On their way out \N{EN DASH}")


def test_a_run_that_validation_stopped_leads_to_what_it_found(viewer: TestClient, known: StatusDatabase) -> None:
    known.journal(RUN, "validate_checks", NOW - 2 * HOUR, state="failed", error="too much silence")
    known.sum_up(RUN, NOW - HOUR, state="failed", failed_stage="validate_checks", error="too much silence")
    page = viewer.get(PAGE).text
    assert "Validation stopped it: too much silence." in notices(page)["failed"]
    assert '/lapsewatch/runs/scheduled__2026-11-22T00%3A00%3A00%2B00%3A00/validation">What validation found' in page


def test_no_run_for_a_day_and_two_hours_is_stale(viewer: TestClient, known: StatusDatabase) -> None:
    known.journal(RUN, "extract_domains", NOW - 31 * HOUR)
    known.sum_up(RUN, NOW - 27 * HOUR, {"active": (1, 1)})
    told = notices(viewer.get(PAGE).text)
    assert list(told) == ["stale"]
    assert told["stale"].startswith(
        f"Stale since {NOW - 27 * HOUR:%Y-%m-%d %H:%M} UTC. The last run ended 27 hours ago."
    )
    known.execute("update lapsewatch.run_metrics set finished_at = finished_at + interval '2 hours'")
    assert list(notices(viewer.get(PAGE).text)) == ["well"]


def test_a_run_under_way_is_told_with_where_it_is(viewer: TestClient, run: StatusDatabase) -> None:
    run.sum_up("tomorrow", NOW - 30 * HOUR)
    run.journal("tomorrow", "extract_domains", NOW - timedelta(minutes=9))
    run.journal("tomorrow", "check_batch", NOW - timedelta(minutes=8), None, batch=0)
    page = viewer.get(PAGE).text
    told = notices(page)
    assert list(told) == ["running"]
    assert "has come to check_batch" in told["running"]
    assert "under way" in said(section(page, "last-run"))
    # The figures are those of the run that has ended.
    assert cells(page, "state")[0][1] == "900"


def test_a_run_that_shows_no_sign_of_life_is_stale(viewer: TestClient, known: StatusDatabase) -> None:
    known.journal(RUN, "check_batch", NOW - 40 * HOUR, None, batch=0)
    told = notices(viewer.get(PAGE).text)
    assert list(told) == ["stale"]
    assert told["stale"].startswith("No run has ended yet. The first run began on ")
    assert f"{RUN} has shown no sign of life since" in told["stale"]


def test_a_run_whose_stage_ended_lately_is_under_way_however_long_it_took(
    viewer: TestClient, known: StatusDatabase
) -> None:
    known.journal(RUN, "check_batch", NOW - 30 * HOUR, 5 * 3600)
    assert list(notices(viewer.get(PAGE).text)) == ["running"]


def test_what_presses_most_is_told_first(viewer: TestClient, run: StatusDatabase) -> None:
    run.add_lapses(1)
    run.ask(RUN)
    run.sum_up("failed", NOW - HOUR / 2, state="failed")
    run.journal("next", "extract_domains", NOW, None)
    assert list(notices(viewer.get(PAGE).text)) == ["failed", "waiting", "running"]


def test_calls_are_held_against_the_budgets_of_day_and_month(
    viewer: TestClient, run: StatusDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.execute(
        "insert into lapsewatch.call_spending (provider, day, call_count) values"
        " ('fastly', %(today)s, 250), ('fastly', %(last_month)s, 9000), ('domainr', %(today)s, 7)",
        today=NOW.date(),
        last_month=NOW.date().replace(day=1) - DAY,
    )
    extra = json.dumps({"calls_per_day": 1000, "calls_per_month": 20_000})
    connection = {"conn_type": "http", "password": "secret-key", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_FASTLY_API", json.dumps(connection))
    page = viewer.get(PAGE).text
    calls = said(section(page, "calls"))
    assert "fastly, today: 250 calls of 1,000" in calls
    assert "fastly, this month: 250 calls of 20,000" in calls
    assert "domainr, today: 7 calls (no limit is set)" in calls
    assert '<progress value="250" max="1000"' in page
    rows = cells(page, "calls")
    assert len(rows) == 31
    assert rows[-1][:3] == [f"{NOW:%Y-%m-%d}", "257", "0.257"]
    assert "Calls this month 257 $0.26 at list price" in said(page)
    assert "secret-key" not in page


def test_a_budget_that_cannot_be_read_is_told(
    viewer: TestClient, run: StatusDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.execute(
        "insert into lapsewatch.call_spending (provider, day, call_count) values ('fastly', %(day)s, 1)", day=NOW.date()
    )
    monkeypatch.setenv("AIRFLOW_CONN_FASTLY_API", json.dumps({"conn_type": "http", "extra": '{"calls_per_day": -1}'}))
    assert "The budgets can't be told: the extra of the Airflow connection 'fastly_api'" in said(viewer.get(PAGE).text)


def test_coverage_is_that_of_the_last_run(viewer: TestClient, run: StatusDatabase) -> None:
    oldest = NOW - 44 * DAY
    counted = {"in_use_count": 800, "fresh_count": 700, "never_checked_count": 60, "oldest_checked_at": oldest}
    run.sum_up("newest", NOW, **counted)
    page = viewer.get(PAGE).text
    assert cells(page, "coverage") == [["800", "700", "0.8750", "60", f"{oldest:%Y-%m-%d %H:%M} UTC"]]
    assert "87.5% of 800 domains in use have evidence of the last 30 days" in said(page)


def test_the_progress_of_a_backfill_is_shown(viewer: TestClient, run: StatusDatabase) -> None:
    at = NOW - timedelta(hours=3)
    for run_id, domain_count in {"backfill__one": 10, "backfill__two": 4, RUN: 9}.items():
        run.execute(
            "insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count,"
            " api_interval) values (%(run_id)s, %(at)s, 0, false, %(domain_count)s, 1, 30)",
            run_id=run_id,
            at=at,
            domain_count=domain_count,
        )
    run.sum_up("backfill__one", NOW, checked_count=9, no_evidence_count=1, api_call_count=12)
    for number in range(4):
        answered = {} if number < 3 else {"checked_at": None, "outcome": None}
        run.add_check(f"d{number}.example", "backfill__two", at, **answered)
    # Left by the run before it was cleared.
    run.add_check("d9.example", "backfill__two", at - DAY, checked_at=None, outcome=None)
    run.sum_up("backfill__two", at - HOUR, checked_count=1)
    page = viewer.get(PAGE).text
    # Run, state, domains, asked, without evidence, lapses found, addresses to unverify, calls.
    assert cells(page, "backfill") == [
        ["backfill__one", "success", "10", "10", "1", "0", "", "12"],
        ["backfill__two", "under way", "4", "3", "", "", "", ""],
    ]
    assert "1 of 2 runs so far ended, with 13 of 14 domains asked about." in said(page)


@pytest.fixture
def backfilled(airflow: None) -> Iterator[Callable[..., None]]:
    """Has Airflow know a backfill of as many days as states are given, whose runs are in those; None has no run."""

    def backfill(*states: str | None, dag_id: str = DAG_ID, created_at: datetime = NOW) -> None:
        first = datetime(2026, 10, 1, tzinfo=UTC)
        last = first + (len(states) - 1) * DAY
        with create_session() as session:
            made = Backfill(dag_id=dag_id, from_date=first, to_date=last, created_at=created_at)
            session.add(made)
            session.flush()
            for number, state in enumerate(states):
                of_day = {"dag_id": dag_id, "run_id": f"backfill__{made.id}_{number}", "run_type": "backfill"}
                run = DagRun(**of_day, state=DagRunState(state)) if state else None
                session.add_all([run] if run else [])
                session.flush()
                day = {"backfill_id": made.id, "logical_date": first + number * DAY, "sort_ordinal": number + 1}
                session.add(BackfillDagRun(**day, dag_run_id=run.id if run else None))

    yield backfill
    with create_session() as session:
        for table in (BackfillDagRun, DagRun, Backfill):
            session.execute(delete(table))


def plan_run(run: StatusDatabase, run_id: str, at: datetime) -> None:
    run.execute(
        "insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count,"
        " api_interval) values (%(run_id)s, %(at)s, 0, false, 10, 1, 30)",
        run_id=run_id,
        at=at,
    )


def test_the_progress_of_a_backfill_counts_the_runs_that_have_not_begun(
    viewer: TestClient, run: StatusDatabase, backfilled: Callable[..., None]
) -> None:
    backfilled("success")
    backfilled("success", "failed", "running", None, *["queued"] * 27)
    backfilled("success", dag_id="another")
    part = section(viewer.get(PAGE).text, "backfill")
    assert "The newest, from 2026-10-01 to 2026-10-31: 2 of 30 runs ended." in said(part)
    assert '<progress value="2" max="30"' in part
    assert "None of its runs has planned yet." in said(part)
    plan_run(run, "backfill__one", NOW - HOUR)
    run.sum_up("backfill__one", NOW, checked_count=9, no_evidence_count=1)
    part = section(viewer.get(PAGE).text, "backfill")
    assert "2 of 30 runs ended. Runs that have begun, in the last 45 days, have asked about 10 of 10" in said(part)
    assert re.findall(r"<progress [^>]*max=\"(\d+)\"", part) == ["30"]


def test_a_backfill_of_long_ago_is_not_shown(
    viewer: TestClient, run: StatusDatabase, backfilled: Callable[..., None]
) -> None:
    backfilled("success", created_at=NOW - 46 * DAY)
    plan_run(run, "backfill__long_ago", NOW - 46 * DAY)
    part = section(viewer.get(PAGE).text, "backfill")
    assert "No backfill was planned in the last 45 days." in said(part)
    assert "The newest" not in said(part)
    assert "backfill__long_ago" not in part
    backfilled("success", created_at=NOW - 44 * DAY)
    plan_run(run, "backfill__lately", NOW - 44 * DAY)
    page = viewer.get(PAGE).text
    assert "The newest, from 2026-10-01 to 2026-10-01: 1 of 1 run ended." in said(section(page, "backfill"))
    assert [row[0] for row in cells(page, "backfill")] == ["backfill__lately"]


def test_an_open_question_is_told_with_where_to_answer(viewer: TestClient, run: StatusDatabase) -> None:
    run.add_lapses(2, "a%s.example")
    run.ask(RUN, {"a1.example": "nobody else says so"})
    page = viewer.get(PAGE).text
    told = notices(page)
    assert list(told) == ["waiting"]
    assert "It would unverify 20 addresses on 2 domains, which is above its limits." in told["waiting"]
    assert cells(page, "approvals") == [[RUN, "2126-11-01 21:00 UTC", "20", "2", "10"]]
    path = "runs/scheduled__2026-11-22T00%3A00%3A00%2B00%3A00"
    asked = f"/dags/check_domain_status/{path}/tasks/approve_unverifications/required_actions"
    assert f'<a href="{asked}" target="_top">Answer in Airflow</a>' in page
    assert f'<a href="/lapsewatch/{path}/unverifications">' in page
    run.start_run("another")
    run.ask("another")
    assert " 1 other question waits too." in notices(viewer.get(PAGE).text)["waiting"]
    run.execute("delete from lapsewatch.unverification_approval where run_id = 'another'")
    run.execute("delete from lapsewatch.run_stage where run_id = 'another'")
    run.execute("delete from lapsewatch.run_metrics")
    waiting = viewer.get(PAGE).text
    assert list(notices(waiting)) == ["waiting"]
    assert "waits for an answer" in said(section(waiting, "last-run"))
    run.sum_up(RUN, NOW)
    run.execute("update lapsewatch.unverification_approval set expires_at = now()")
    assert list(notices(viewer.get(PAGE).text)) == ["well"]


def test_it_makes_few_statements_and_shows_one_moment(viewer: TestClient, run: StatusDatabase) -> None:
    with counting_statements() as made:
        assert viewer.get(PAGE).status_code == 200
    assert 10 < len(made) <= MOST_STATEMENTS
    # A view in the place of a table tells what the reader's transaction may do.
    run.execute("alter view lapsewatch.coverage rename to kept")
    run.execute(
        "create view lapsewatch.coverage as select 1 as in_use_count, 1 as fresh_count, 1.0 as fresh_share,"
        " 1 as never_checked_count, now() as oldest_checked_at, now() as summed_up_at"
        " where current_setting('transaction_read_only') = 'on'"
        " and current_setting('transaction_isolation') = 'repeatable read'"
    )
    assert cells(viewer.get(PAGE).text, "coverage")[0][0] == "1"


def test_what_comes_from_the_database_stays_text(viewer: TestClient, known: StatusDatabase) -> None:
    evil = "<img src=x onerror=alert(1)>"
    known.journal(f"backfill__{evil}", evil, NOW, state="failed", error=evil)
    known.sum_up(f"backfill__{evil}", NOW, {evil: (1, 1)}, state="failed", failed_stage=evil, error=evil)
    known.add_domain(f"{evil}.example", phase="expired", expired_since=NOW, registrar=evil)
    known.execute(
        "insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count,"
        " api_interval) values (%(run_id)s, now(), 0, false, 1, 1, 30)",
        run_id=f"backfill__{evil}",
    )
    answer = viewer.get(PAGE)
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text
    assert answer.text.count("&lt;img src=x") > 8


def test_each_chart_can_be_drawn_from_its_table(viewer: TestClient, run: StatusDatabase) -> None:
    page = viewer.get(PAGE).text
    charts = re.findall(r'<figure class="chart" data-chart="(\w+)".*?</figure>', page, re.DOTALL)
    assert charts == ["horizontal", "vertical", "vertical", "horizontal"]
    for figure in re.findall(r'<figure class="chart".*?</figure>', page, re.DOTALL):
        [headings] = re.findall(r"<thead>(.*?)</thead>", figure, re.DOTALL)
        assert "data-series=" in headings
        rows = re.findall(r"<tr>(.*?)</tr>", re.search(r"<tbody>(.*?)</tbody>", figure, re.DOTALL)[1], re.DOTALL)
        assert rows
        for row in rows:
            assert '<th scope="row"' in row
            assert "data-label=" in row
            assert re.search(r'data-value="\d', row)
