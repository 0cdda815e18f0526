"""The dashboard: how things stand, what comes, what the last run did, and what it cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection, RowMapping

from lapsewatch import connections
from lapsewatch.core.errors import SetupError
from lapsewatch.core.lifecycle import Phase
from lapsewatch.page import tables
from lapsewatch.page.backfill import NewestBackfill
from lapsewatch.page.reading import Reading
from lapsewatch.page.rendering import render
from lapsewatch.page.situation import Situation
from lapsewatch.page.tables import TABLES
from lapsewatch.status_database.statements import statement

RECENT_DAYS = 30

ON_THEIR_WAY = {Phase.EXPIRED, Phase.REDEMPTION}
"""Phases of domains that their owners have not renewed, and still can."""

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Spending:
    """Calls to a status API against what its owner allows in a day or a month (UTC); None is no limit."""

    provider: str
    period: str
    call_count: int
    allowed: int | None


@router.get("/")
def show_dashboard(request: Request, connection: Reading, backfill: NewestBackfill) -> Response:
    """Show the dashboard."""
    rows = {name.replace("-", "_"): table.rows(connection) for name, table in TABLES.items()}
    run = connection.execute(statement("select_page_latest_run")).mappings().one()
    shown: dict[str, Any] = {
        "situation": Situation.of(run, rows["last_run"], rows["approvals"], datetime.now(UTC)),
        "run": run,
        "tables": tables,
        "rows": rows,
        "headline": _headline(rows),
        "coverage": next(iter(rows["coverage"]), None),
        "summed_up_at": next((row["summed_up_at"] for row in rows["state"]), None),
        "newest_backfill": backfill,
        "backfill": _backfill(rows["backfill"]),
        **_spending(connection),
    }
    return render(request, "dashboard.html", shown)


def _headline(rows: Mapping[str, Sequence[RowMapping]]) -> dict[str, Any]:
    """Return the figures that stand on top; those that no run has counted yet are None."""
    phases, coverage = rows["state"], next(iter(rows["coverage"]), None)
    recent = rows["unverified_by_day"][-RECENT_DAYS:]
    month = [row for row in rows["calls"] if row["day"].month == rows["calls"][-1]["day"].month]
    return {
        "in_use_count": coverage and coverage["in_use_count"],
        "fresh_share": coverage and coverage["fresh_share"],
        "address_count": sum(row["address_count"] for row in phases),
        "expiring_count": sum(row["domain_count"] for row in phases if row["phase"] in ON_THEIR_WAY)
        if phases
        else None,
        "unverified_count": sum(row["address_count"] for row in recent),
        "would_be_count": sum(row["would_be_count"] for row in recent),
        "call_count": sum(row["call_count"] for row in month),
        "cost_usd": sum(row["cost_usd"] for row in month),
    }


def _backfill(runs: Sequence[RowMapping]) -> dict[str, int]:
    return {
        "ended_count": sum(row["state"] != "under way" for row in runs),
        "domain_count": sum(row["domain_count"] for row in runs),
        "answered_count": sum(row["answered_count"] for row in runs),
    }


def _spending(connection: Connection) -> dict[str, Any]:
    """Return the spending of each API that was called this month, and why the budgets can't be told, if so."""
    known = connection.execute(statement("select_page_call_spending")).mappings().all()
    try:
        return {"spending": [spent for row in known for spent in _periods(row)], "budget_trouble": None}
    except SetupError as error:
        return {"spending": [], "budget_trouble": str(error)}


def _periods(row: RowMapping) -> Iterator[Spending]:
    allowance = connections.allowed_calls(row["provider"])
    per_day, per_month = (allowance.calls_per_day, allowance.calls_per_month) if allowance else (None, None)
    yield Spending(row["provider"], "today", row["today_count"], per_day)
    yield Spending(row["provider"], "this month", row["month_count"], per_month)
