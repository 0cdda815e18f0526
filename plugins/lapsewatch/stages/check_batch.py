"""Asks the status API about the domains of one batch and writes down what it said."""

import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from lapsewatch.clients.asking import Answer, ask_all
from lapsewatch.clients.budget import CallBudget
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.status_api import StatusClient
from lapsewatch.core.cadence import Pace
from lapsewatch.core.call_budget import Grant
from lapsewatch.core.case_json import as_json, read_history
from lapsewatch.core.errors import BudgetSpent, Interrupted, SetupError, Unavailable
from lapsewatch.core.evidence import Evidence, NoEvidenceReason
from lapsewatch.core.lifecycle import Case, History
from lapsewatch.core.questions import need_of
from lapsewatch.stages.decisions import decision_columns
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.open_batch import OpenBatch
from lapsewatch.status_database.patience import patiently

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


def check_batch(run: Run, batch: int, client: StatusClient, budget: CallBudget, status: Engine) -> Counts:
    """Ask about every domain of the batch that has no answer yet; each ends in evidence or a typed "no evidence".

    What is decided here rests on the status API alone; `corroborate_checks` asks others where that is not enough. The
    answers are written as they arrive, so whatever ends the attempt, the next one asks only about what is open; two at
    once go one after the other. While PostgreSQL is away the asking pauses.

    Raises SetupError where the API refuses the key, Unavailable where it is silent or rows were left open for no reason
    known, Interrupted after SIGTERM, and in a backfill BudgetSpent where the calls of the day or the month are used up.
    Any other run leaves the rest open then: it stays due.
    """
    with _until_told_to_end() as stop, OpenBatch(status, run.run_id, batch, stop) as rows:
        count = rows.count()
        pace = Pace(run.cadence, rows.api_interval)
        tally = _Tally(batch, count)
        known: dict[str, History] = {}
        answers = ask_all(client, _domains(rows, known), _Patient(budget, stop), run.clock, count=count, stop=stop)
        try:
            with closing(answers):
                for some in answers:
                    columns = [answer_row(run, answer, known.pop(answer.domain), pace) for answer in some]
                    rows.record(columns, client.name, run.policy.value)
                    tally.add(columns)
        except Refused as error:
            raise SetupError(
                f"the status API refuses the key ({error}): check the password of the Airflow connection"
                f" '{run.client}_api', and that the key may use domain research"
            ) from None
        except BudgetSpent as error:
            if run.is_backfill:
                raise
            log.warning("Batch %s: %s; the rest stays due", batch, error)
            return tally.counts()
        finally:
            tally.conclude()
        if stop.is_set():
            raise Interrupted("the task was told to end: what was answered is kept, the rest is open")
        if open_count := rows.count():
            raise Unavailable(f"{open_count} of the batch's domains were not asked: the next attempt asks them")
    return tally.counts()


@contextmanager
def _until_told_to_end() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM sets, or the end. Airflow sends it and kills five seconds later.

    Airflow's own handler only calls `on_kill`, and the task goes on: it is put back at the end.
    """
    stop = threading.Event()
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, lambda *_: stop.set()) if is_main else None
    try:
        yield stop
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


def _domains(rows: OpenBatch, known: dict[str, History]) -> Iterator[str]:
    """Yield the open domains; what is known of each is there until its answer takes it."""
    for domain, previous in rows.rows():
        known[domain] = read_history(previous)
        yield domain


@dataclass(frozen=True, slots=True)
class _Patient:
    """A budget that waits while PostgreSQL is away, and with it every call."""

    budget: CallBudget
    stop: threading.Event

    def reserve(self, wanted: int, in_flight: int, unused: int = 0) -> Grant:
        return patiently(lambda: self.budget.reserve(wanted, in_flight, unused), self.stop)

    def refused(self, retry_after: float | None) -> None:
        patiently(lambda: self.budget.refused(retry_after), self.stop)

    def leave(self, unused: int) -> None:
        self.budget.leave(unused)


@dataclass(slots=True)
class _Tally:
    """What was answered, told now and then."""

    batch: int
    open_count: int
    outcomes: Counter[str] = field(default_factory=Counter)
    silences: Counter[str] = field(default_factory=Counter)
    told_count: int = 0
    told_at: float = field(default_factory=time.monotonic)

    def add(self, columns: list[dict[str, object]]) -> None:
        self.outcomes.update(str(row["outcome"]) for row in columns)
        self.silences.update(str(row["no_evidence_reason"]) for row in columns if row["no_evidence_reason"])
        if time.monotonic() >= self.told_at + SECONDS_BETWEEN_LINES:
            self.tell()

    def tell(self) -> None:
        now, count = time.monotonic(), self.outcomes.total()
        rate = (count - self.told_count) / max(now - self.told_at, 0.001)
        log.info("Batch %s: %s of %s answered, %.0f/s", self.batch, f"{count:,}", f"{self.open_count:,}", rate)
        self.told_at, self.told_count = now, count

    def conclude(self) -> None:
        self.tell()
        if self.silences:
            log.warning("Batch %s: no evidence, by reason: %s", self.batch, dict(self.silences))

    def counts(self) -> Counts:
        return {**self.outcomes, "no_evidence_reasons": dict(self.silences)}


def answer_row(run: Run, answer: Answer, previous: History, pace: Pace) -> dict[str, object]:
    """Return the answer as a row of `domain_check`: what was said, what it means, and what else to ask."""
    outcome = answer.outcome
    flags = outcome.flags if isinstance(outcome, Evidence) else ()
    case = Case(now=answer.checked_at, flags=flags, previous=previous)
    need = need_of(case, run.policy)
    decided = decision_columns(run, answer.domain, case, pace)
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
