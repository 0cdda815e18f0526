"""What the tests of single stages share: a run, and a way to bring the status database to any point of the walk."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lapsewatch.clients.asking import Answer
from lapsewatch.core.evidence import Evidence, NoEvidence, NoEvidenceReason, Outcome, read_flags
from lapsewatch.stages.check_batch import _row
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import stage
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
RUN = Run(run_id="first", as_of=AS_OF, dry_run=False)

Row = dict[str, Any]


def rows(engine: Engine, query: str, **values: Any) -> list[Row]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query), values).mappings()]


def outcome_of(status: str | NoEvidenceReason) -> Outcome:
    if isinstance(status, NoEvidenceReason):
        return NoEvidence(status)
    flags = read_flags(status)
    assert flags is not None
    return Evidence(flags, raw=status)


Check = Callable[..., Run]


@pytest.fixture
def check(status: Engine, users: UserDatabase) -> Check:
    """Take a run as far as answered rows: extract and plan for real, then answer as told (`active` unless told)."""

    def answer(told: Mapping[str, str | NoEvidenceReason], run: Run = RUN, **changes: Any) -> Run:
        run = replace(run, **changes)
        with stage(status, run.run_id, "extract_domains") as counts:
            counts |= extract_domains(run, users, status)
        with stage(status, run.run_id, "plan_batches") as counts:
            batches, counts["planned_count"] = plan_batches(run, status)
            counts["batch_count"] = len(batches)
        for batch in batches:
            key = {"run_id": run.run_id, "batch": batch}
            with status.begin() as connection:
                domains = connection.execute(statement("select_open_checks"), key).scalars().all()
                answers = [
                    _row(run, Answer(domain, outcome_of(told.get(domain, "active")), datetime.now(UTC), 5, 1))
                    for domain in domains
                ]
                connection.execute(
                    statement("record_answers"), key | {"answers": json.dumps(answers), "provider": run.client}
                )
        return run

    return answer
