"""Asks the status API about the domains of one batch and writes down what it said."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping

from sqlalchemy import Engine

from lapsewatch.clients.asking import Answer, Pace, ask_all
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.case_json import as_json, read_history
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import Evidence, NoEvidenceReason
from lapsewatch.core.lifecycle import Case, History
from lapsewatch.core.questions import need_of
from lapsewatch.stages.decisions import decision_columns
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)

ANSWERS_PER_WRITE = 50
"""Answers are paid for: no more than these, and the calls in flight, are lost when the process is killed."""


def check_batch(run: Run, batch: int, client: StatusClient, pace: Pace, status: Engine) -> Counts:
    """Ask about every domain of the batch that has no answer yet; each ends in evidence or a typed "no evidence".

    What is decided here rests on the status API alone; `corroborate_checks` asks others where that is not enough.
    Raises SetupError where the API refuses the key: what was answered before is kept, the rest stays open.
    """
    key = {"run_id": run.run_id, "batch": batch}
    with status.connect() as connection:
        open_checks = connection.execute(statement("select_open_checks"), key).all()
    known = {row.domain: read_history(row.previous) for row in open_checks}
    outcomes: Counter[str] = Counter()
    silences: Counter[str] = Counter()
    for rows in _chunks(run, known, ask_all(client, known, pace, run.clock)):
        answers = {"answers": json.dumps(rows), "provider": client.name, "policy": run.policy.value}
        with status.begin() as connection:
            connection.execute(statement("record_answers"), key | answers)
        outcomes.update(str(row["outcome"]) for row in rows)
        silences.update(str(row["no_evidence_reason"]) for row in rows if row["no_evidence_reason"])
        log.info("Batch %s: %s of %s domains answered", batch, outcomes.total(), len(known))
    if silences:
        log.warning("Batch %s: no evidence, by reason: %s", batch, dict(silences))
    return {**outcomes, "no_evidence_reasons": dict(silences)}


def _chunks(run: Run, known: Mapping[str, History], answers: Iterator[Answer]) -> Iterator[list[dict[str, object]]]:
    """Yield the answers as rows, some at a time; those that came before the key was refused too, then raise."""
    rows: list[dict[str, object]] = []
    try:
        for answer in answers:
            rows.append(answer_row(run, answer, known[answer.domain]))
            if len(rows) == ANSWERS_PER_WRITE:
                yield rows
                rows = []
    except Refused as error:
        yield rows
        raise SetupError(
            f"the status API refuses the key ({error}): check the password of the Airflow connection"
            f" '{run.client}_api', and that the key may use domain research"
        ) from None
    yield rows


def answer_row(run: Run, answer: Answer, previous: History) -> dict[str, object]:
    """Return the answer as a row of `domain_check`: what was said, what it means, and what else to ask."""
    outcome = answer.outcome
    flags = outcome.flags if isinstance(outcome, Evidence) else ()
    case = Case(now=answer.checked_at, flags=flags, previous=previous)
    need = need_of(case, run.policy)
    decided = decision_columns(run, answer.domain, case)
    reason = NoEvidenceReason.PROVIDER_UNKNOWN if isinstance(outcome, Evidence) else outcome.reason
    return decided | {
        "domain": answer.domain,
        "no_evidence_reason": reason.value if decided["outcome"] == "no_evidence" else None,
        "flags": [flag.value for flag in flags] or None,
        "previous": as_json(previous),
        "need": need.value if need else None,
        "checked_at": answer.checked_at.isoformat(),
        "latency_ms": answer.latency_ms,
        "call_count": answer.call_count,
        "raw": outcome.raw,
    }
