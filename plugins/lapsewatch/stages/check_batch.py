"""Asks the status API about the domains of one batch and writes down what it said."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine

from lapsewatch.clients.asking import Answer, Pace, ask_all
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.cadence import next_check_at
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import Evidence, NoEvidenceReason
from lapsewatch.core.lifecycle import Phase, phase_of
from lapsewatch.core.policy import decide
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)

ANSWERS_PER_WRITE = 50
"""Answers are paid for: no more than these, and the calls in flight, are lost when the process is killed."""


def check_batch(run: Run, batch: int, client: StatusClient, pace: Pace, status: Engine) -> Counts:
    """Ask about every domain of the batch that has no answer yet; each ends in evidence or a typed "no evidence".

    Raises SetupError where the API refuses the key: what was answered before is kept, the rest stays open.
    """
    key = {"run_id": run.run_id, "batch": batch}
    with status.connect() as connection:
        domains = connection.execute(statement("select_open_checks"), key).scalars().all()
    outcomes: Counter[str] = Counter()
    silences: Counter[str] = Counter()
    for rows in _chunks(run, ask_all(client, domains, pace)):
        answers = {"answers": json.dumps(rows), "provider": client.name}
        with status.begin() as connection:
            connection.execute(statement("record_answers"), key | answers)
        outcomes.update(str(row["outcome"]) for row in rows)
        silences.update(str(row["no_evidence_reason"]) for row in rows if row["no_evidence_reason"])
        log.info("Batch %s: %s of %s domains answered", batch, outcomes.total(), len(domains))
    if silences:
        log.warning("Batch %s: no evidence, by reason: %s", batch, dict(silences))
    return {**outcomes, "no_evidence_reasons": dict(silences)}


def _chunks(run: Run, answers: Iterator[Answer]) -> Iterator[list[dict[str, object]]]:
    """Yield the answers as rows, some at a time; those that came before the key was refused too, then raise."""
    rows: list[dict[str, object]] = []
    try:
        for answer in answers:
            rows.append(_row(run, answer))
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


def _row(run: Run, answer: Answer) -> dict[str, object]:
    """Return the answer as a row of `domain_check`: what was said, what it means, and when to ask again."""
    outcome = answer.outcome
    flags = outcome.flags if isinstance(outcome, Evidence) else ()
    phase = phase_of(flags)
    has_evidence = phase is not Phase.UNKNOWN
    decision = decide(phase)
    reason = NoEvidenceReason.PROVIDER_UNKNOWN if isinstance(outcome, Evidence) else outcome.reason
    return {
        "domain": answer.domain,
        "outcome": "evidence" if has_evidence else "no_evidence",
        "no_evidence_reason": None if has_evidence else reason.value,
        "flags": [flag.value for flag in flags] or None,
        "phase": phase.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "next_check_at": _text(next_check_at(run.as_of, decision.verdict, has_evidence=has_evidence)),
        "checked_at": _text(answer.checked_at),
        "latency_ms": answer.latency_ms,
        "call_count": answer.call_count,
        "raw": outcome.raw,
    }


def _text(instant: datetime) -> str:
    return instant.isoformat()
