"""Audits a run's answers before anything is published: bad rows are quarantined, a suspicious run is stopped."""

import gzip
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, Engine

from lapsewatch.core.errors import RunStopped
from lapsewatch.quality.data_docs import data_docs
from lapsewatch.quality.suites import audit_checks, audit_run
from lapsewatch.quality.validation import Audit
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)

ROWS_PER_PIECE = 20_000
"""Great Expectations sees a run in pieces of this size, so that memory does not grow with the run."""

KEPT_DATA_DOCS = 30
"""Of so many runs, the last ones, the results are kept as a page too; the results themselves stay."""


def validate_checks(run: Run, status: Engine) -> Counts:
    """Validate a run's rows and then the run; keep the result. Raises RunStopped where the run must not publish."""
    audit = Audit()
    with status.begin() as connection:
        key = {"run_id": run.run_id}
        connection.execute(statement("clear_quarantine"), key)
        now = run.clock()
        for frame in _pieces(connection, run.run_id, now):
            bad = audit_checks(frame, audit)
            rows = json.dumps([{"domain": domain, "reason": reason} for domain, reason in bad.items()])
            connection.execute(statement("quarantine_checks"), key | {"rows": rows})
        key_now = key | {"now": now}
        figures = connection.execute(statement("select_run_figures"), key_now).mappings().one()
        audit_run(dict(figures), audit)
        result = {
            "success": audit.trouble is None,
            "row_count": audit.row_count,
            "quarantined_count": audit.quarantined_count,
            "judged_count": figures["judged_count"],
            "newly_adverse_count": figures["newly_adverse_count"],
            "trouble": audit.trouble,
            "results": json.dumps(list(audit.results.values())),
            "data_docs": _data_docs(audit),
        }
        connection.execute(statement("upsert_check_validation"), key_now | result)
        connection.execute(statement("forget_data_docs"), {"kept": KEPT_DATA_DOCS})
    counts: Counts = {"row_count": audit.row_count, "quarantined_count": audit.quarantined_count}
    log.info("Validated: %s", counts)
    if audit.trouble:
        raise RunStopped(f"nothing is published: {audit.trouble}")
    return counts


def _data_docs(audit: Audit) -> bytes | None:
    """Return the results as a page, gzipped; None where they can't be shown, which is no reason to stop a run."""
    try:
        page = data_docs(audit.results.values())
    except Exception as error:  # noqa: BLE001 - whatever it is, the audit itself stands
        log.warning("No Data Docs of this run: they failed (%s); its results are kept", type(error).__name__)
        return None
    return gzip.compress(page.encode(), mtime=0)


def _pieces(connection: Connection, run_id: str, now: datetime) -> Iterator[pd.DataFrame]:
    """Yield the run's answered rows in data frames, by keyset, so that no cursor stays open under the updates."""
    last = ""
    while True:
        values = {"run_id": run_id, "now": now, "after": last, "most": ROWS_PER_PIECE}
        rows = connection.execute(statement("select_answered_checks"), values)
        # As tuples: pandas would look at each row for what it is.
        frame = pd.DataFrame([tuple(row) for row in rows.all()], columns=list(rows.keys()))
        if frame.empty:
            return
        yield frame
        last = frame["domain"].iloc[-1]
