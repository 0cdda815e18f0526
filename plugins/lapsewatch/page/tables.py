"""The tables that the page shows: what is in their columns, and the statement that reads them. Each is a CSV too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from sqlalchemy import Connection, RowMapping

from lapsewatch.page.columns import Column, Kind
from lapsewatch.page.reading import Reading
from lapsewatch.page.spreadsheet import csv_response
from lapsewatch.status_database.statements import statement

ROWS_PER_FETCH = 1_000

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the dashboard; its first column names the row. Of a long one the page shows the first `shown`."""

    name: str
    caption: str
    statement: str
    columns: Sequence[Column] = field(repr=False)
    shown: int | None = None

    def rows(self, connection: Connection) -> Sequence[RowMapping]:
        """Read what the page shows of it."""
        return connection.execute(statement(self.statement), {"most": self.shown}).mappings().all()

    def all_rows(self, connection: Connection) -> Iterator[Sequence[RowMapping]]:
        """Stream all of it, a thousand rows at a time."""
        streamed = connection.execution_options(stream_results=True)
        yield from streamed.execute(statement(self.statement), {"most": None}).mappings().partitions(ROWS_PER_FETCH)


PHASES = Table(
    "state",
    "Domains in use by the stage of their registration, and the verified addresses on them",
    "select_page_phases",
    (
        Column("phase", "Stage", Kind.PHASE),
        Column("domain_count", "Domains", Kind.COUNT, series="accent"),
        Column("domain_change", "Domains since yesterday", Kind.CHANGE),
        Column("address_count", "Addresses", Kind.COUNT),
        Column("address_change", "Addresses since yesterday", Kind.CHANGE),
    ),
)
UNVERIFIED_BY_DAY = Table(
    "unverified-by-day",
    "Addresses that lost their verification, by day (UTC)",
    "select_page_unverified_by_day",
    (
        Column("day", "Day", Kind.DAY),
        Column("address_count", "Unverified", Kind.COUNT, series="accent"),
        Column("would_be_count", "Would have been (dry runs)", Kind.COUNT, series="quiet"),
        Column("undone_count", "Given back since", Kind.COUNT),
        Column("domain_count", "Domains", Kind.COUNT),
    ),
)
EXPIRING_SOON = Table(
    "expiring-soon",
    "Domains that their owners may lose, those with the fewest days left first",
    "select_page_expiring_domains",
    (
        Column("domain", "Domain", Kind.DOMAIN),
        Column("phase", "Stage", Kind.PHASE),
        Column("days_left", "Days left", Kind.COUNT),
        Column("renewable_until", "Renewable at least until", Kind.DAY),
        Column("address_count", "Addresses", Kind.COUNT),
        Column("single_address_account_count", "Accounts with no other", Kind.COUNT),
        Column("expired_since", "Expired since", Kind.DAY),
        Column("expires_at", "Registry's expiry date", Kind.DAY),
        Column("registrar", "Registrar"),
    ),
    shown=50,
)
STAGES = Table(
    "last-run",
    "Stages of the last run",
    "select_page_stages",
    (
        Column("stage", "Stage"),
        Column("seconds", "Seconds", Kind.SECONDS, series="accent"),
        Column("state", "State"),
        Column("batch_count", "Batches", Kind.COUNT),
        Column("started_at", "Begun", Kind.MINUTE),
        Column("error", "Trouble"),
    ),
)
CALLS_BY_DAY = Table(
    "calls",
    "Calls to the status API, and questions that cost nothing, by day (UTC)",
    "select_page_calls_by_day",
    (
        Column("day", "Day", Kind.DAY),
        Column("call_count", "Calls", Kind.COUNT, series="accent"),
        Column("cost_usd", "At list price", Kind.DOLLARS),
        Column("rdap_count", "Questions to registries", Kind.COUNT),
        Column("dns_count", "Questions to DNS", Kind.COUNT),
    ),
)
COVERAGE = Table(
    "coverage",
    "How much of what is in use was looked at lately",
    "select_page_coverage",
    (
        Column("in_use_count", "Domains in use", Kind.COUNT),
        Column("fresh_count", "With evidence of the last 30 days", Kind.COUNT),
        Column("fresh_share", "Share", Kind.SHARE),
        Column("never_checked_count", "Never checked", Kind.COUNT),
        Column("oldest_checked_at", "Oldest evidence", Kind.MINUTE),
    ),
)
BACKFILL = Table(
    "backfill",
    "Runs of backfills in the last 45 days, the newest first",
    "select_page_backfill_runs",
    (
        Column("run_id", "Run", Kind.RUN),
        Column("state", "State"),
        Column("domain_count", "Domains", Kind.COUNT),
        Column("answered_count", "Asked", Kind.COUNT),
        Column("no_evidence_count", "Without evidence", Kind.COUNT),
        Column("newly_lapsed_count", "Lapses found", Kind.COUNT),
        Column("candidate_count", "Addresses to unverify", Kind.COUNT),
        Column("api_call_count", "Calls", Kind.COUNT),
    ),
)
QUESTIONS = Table(
    "approvals",
    "Runs that wait for a person's answer; silence is a rejection",
    "select_page_open_questions",
    (
        Column("run_id", "Run", Kind.RUN),
        Column("expires_at", "Waits until", Kind.MINUTE),
        Column("address_count", "Addresses", Kind.COUNT),
        Column("domain_count", "Domains", Kind.COUNT),
        Column("suspicious_count", "Suspicious", Kind.COUNT),
    ),
)
TABLES = {
    table.name: table
    for table in (PHASES, UNVERIFIED_BY_DAY, EXPIRING_SOON, STAGES, CALLS_BY_DAY, COVERAGE, BACKFILL, QUESTIONS)
}


@router.get("/tables/{name}.csv")
def download_table(connection: Reading, name: str) -> Response:
    """Send a table of the dashboard as CSV, all of it."""
    if name not in TABLES:
        raise HTTPException(404, f"The tables are: {', '.join(TABLES)}.")
    table = TABLES[name]
    return csv_response(f"{name}.csv", [column.name for column in table.columns], table.all_rows(connection))
