"""Rows of the status database as tests want them: what a test does not name is as dull as it can be."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

EARLY = datetime(2026, 1, 1, tzinfo=UTC)

DULL: dict[str, dict[str, Any]] = {
    "domain_status": {"address_count": 1, "first_seen_at": EARLY, "next_check_at": EARLY},
    "account_at_risk": {"address_key": "1", "host": "mail.example", "seen_at": EARLY},
    "domain_lapse": {
        "kind": "observed",
        "phase": "redemption",
        "reason": "not renewed",
        "witnesses": ["flags", "rdap"],
        "evidence": {"flags": ["expiring"]},
        "policy": "corroborated",
        "run_id": "run",
    },
    "address_unverification": {
        "dry_run": False,
        "host": "mail.example",
        "run_id": "run",
        "state": "unverified",
        "reason": "not renewed",
        "evidence": {"flags": ["expiring"]},
        "planned_at": EARLY,
    },
    "domain_check": {
        "run_id": "run",
        "planned_at": EARLY,
        "source": "status_api",
        "batch": 0,
        "provider": "fastly",
        "outcome": "evidence",
        "phase": "active",
        "verdict": "keep",
        "call_count": 1,
    },
    "run_metrics": {
        "as_of": EARLY,
        "state": "success",
        "stage_seconds": {},
        "provider": "fastly",
        "dry_run": False,
        "set_aside": {},
        "planned_count": 0,
        "checked_count": 0,
        "no_evidence_count": 0,
        "no_evidence": {},
        "quarantined_count": 0,
        "phases": {},
        "newly_lapsed_count": 0,
        "lapsed_domain_count": 0,
        "unverified_count": 0,
        "api_call_count": 0,
        "in_use_count": 0,
        "fresh_count": 0,
        "never_checked_count": 0,
    },
    "run_phase": {"entered_count": 0, "left_count": 0},
    "call_spending": {"provider": "fastly"},
}


def insert(status: Engine, table: str, **values: Any) -> None:
    """Insert a row; a check finds the partition of its month."""
    row = DULL[table] | values
    columns = ", ".join(row)
    named = ", ".join(f":{name}" for name in row)
    with status.begin() as connection:
        if table == "domain_check":
            connection.execute(text("select lapsewatch.create_domain_check_partition(:planned_at)"), row)
        connection.execute(
            text(f"insert into lapsewatch.{table} ({columns}) values ({named})"),
            {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()},
        )


def lapse(status: Engine, domain: str, lapsed_at: datetime, **values: Any) -> None:
    """Insert a lapse of a domain that is known already; it began when it counted, unless told otherwise."""
    insert(status, "domain_lapse", **{"domain": domain, "lapsed_at": lapsed_at, "began_at": lapsed_at} | values)


def summed_up(
    status: Engine, run_id: str, finished_at: datetime, phases: dict[str, tuple[int, int]], **values: Any
) -> None:
    """Insert a run that was summed up, with the domains and addresses in each phase."""
    insert(status, "run_metrics", run_id=run_id, finished_at=finished_at, **values)
    for phase, (domain_count, address_count) in phases.items():
        counts = {"domain_count": domain_count, "address_count": address_count}
        insert(status, "run_phase", run_id=run_id, phase=phase, **counts)
