"""How far the runs of a backfill have come, as the status database tells it."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lapsewatch.commands.airflow_backfills import ENDED, AirflowRun
from lapsewatch.core.cadence import cohort_of_day
from lapsewatch.status_database.statements import statement

RATE_WINDOW = 60.0
"""The seconds over which the rate is measured."""


@dataclass(slots=True)
class Run:
    """A run of the backfill, as far as it has come. `results` are the figures of its summary, once it has ended."""

    airflow: AirflowRun
    state: str
    planned: int | None = None
    answered: int = 0
    calls: int = 0
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Whether it has, well or not."""
        return self.state in ENDED


class Progress:
    """A backfill under way.

    `since` is a moment of the database's clock at which the runs had not ended; whatever has gone wrong since
    `troubles_since` is told. `whole_cohorts`: it also asks about domains with evidence of the last 30 days. `recheck`:
    runs that were planned before are planned anew.
    """

    def __init__(
        self,
        runs: Iterable[AirflowRun],
        since: datetime,
        *,
        troubles_since: datetime | None = None,
        whole_cohorts: bool = False,
        recheck: bool = False,
    ) -> None:
        self.runs = {run.run_id: Run(run, run.state) for run in runs}
        self.unplanned = 0
        self.seconds_left: float | None = None
        self.rate = 0.0
        self._since = since
        self._troubles_since = troubles_since or "-infinity"
        self._plans_since = since if recheck else "-infinity"
        self._whole_cohorts = whole_cohorts
        self._cohorts: list[int] | None = None
        self._done_at: deque[tuple[float, int]] = deque()
        self._told: set[str] = set()

    @property
    def done(self) -> int:
        """Domains that were asked about."""
        return sum(run.answered for run in self.runs.values())

    @property
    def total(self) -> int:
        """Domains to ask about: those planned so far, and those of the days that are not planned yet."""
        return self.unplanned + sum(run.planned or 0 for run in self.runs.values())

    @property
    def calls(self) -> int:
        """Calls to the status API."""
        return sum(run.calls for run in self.runs.values())

    @property
    def has_ended(self) -> bool:
        """Whether all runs have."""
        return all(run.has_ended for run in self.runs.values())

    def count(self, *states: str) -> int:
        """Return how many runs are in one of the states: queued, running, success, failed."""
        return sum(run.state in states for run in self.runs.values())

    def look(self, connection: Connection, at: float) -> list[str]:
        """Read how far it has come by now, `at` on a clock of seconds; return what is to be told, each thing once."""
        said: list[str] = []
        ended_before = [run_id for run_id, run in self.runs.items() if run.has_ended and not run.results]
        self._read_results(connection, ended_before, since=None)
        at_work = [run_id for run_id, run in self.runs.items() if not run.has_ended]
        self._read_results(connection, at_work, since=self._since)
        said += self._read_work(connection, [run_id for run_id in at_work if not self.runs[run_id].has_ended])
        said += [_failure(run) for run in self.runs.values() if run.state == "failed" and run.airflow.state != "failed"]
        self._read_unplanned(connection)
        self._measure(at)
        new = [line for line in said if line not in self._told]
        self._told.update(new)
        return new

    def believe(self, runs: Sequence[AirflowRun]) -> None:
        """Take from Airflow that runs have ended that the status database knows nothing of."""
        for listed in runs:
            run = self.runs.get(listed.run_id)
            if run is not None and listed.state in ENDED:
                run.state = listed.state

    def signature(self) -> tuple[object, ...]:
        """Return what changes as long as the backfill goes on."""
        return self.done, self.calls, tuple(run.state for run in self.runs.values())

    def _read_results(self, connection: Connection, run_ids: list[str], since: datetime | None) -> None:
        values = {"run_ids": run_ids, "since": since or "-infinity"}
        for row in connection.execute(statement("select_run_results"), values).mappings():
            run = self.runs[row["run_id"]]
            run.results = dict(row)
            if since is not None:
                run.state = row["state"]
            run.planned = row["planned_count"]
            run.answered = row["checked_count"] + row["no_evidence_count"]
            run.calls = row["api_call_count"]

    def _read_work(self, connection: Connection, run_ids: list[str]) -> Iterable[str]:
        values = {
            "run_ids": run_ids,
            "since": self._since,
            "plans_since": self._plans_since,
            "troubles_since": self._troubles_since,
        }
        for row in connection.execute(statement("select_runs_at_work"), values).mappings():
            run = self.runs[row["run_id"]]
            run.planned = row["planned_count"]
            run.answered, run.calls = row["answered_count"] or 0, int(row["call_count"] or 0)
            if row["is_begun"]:
                run.state = "running"
            if row["error"]:
                yield f"{row['run_id']}: {row['failed_stage']} has stopped for now: {row['error']}"
            if row["is_asking"]:
                yield f"{row['run_id']} waits for a person: in Airflow, under Required Actions"

    def _read_unplanned(self, connection: Connection) -> None:
        cohorts = sorted(
            {cohort_of_day(run.airflow.day) for run in self.runs.values() if run.planned is None and not run.has_ended}
        )
        # Counting takes a while where there are millions, and only a plan changes it.
        if cohorts != self._cohorts or not self.total:
            self._cohorts = cohorts
            values = {"cohorts": cohorts, "whole_cohorts": self._whole_cohorts}
            self.unplanned = connection.execute(statement("count_unassessed_domains"), values).scalar_one()

    def _measure(self, at: float) -> None:
        self._done_at.append((at, self.done))
        while self._done_at[0][0] < at - RATE_WINDOW:
            self._done_at.popleft()
        began, done_then = self._done_at[0]
        self.rate = (self.done - done_then) / (at - began) if at > began else 0.0
        self.seconds_left = (self.total - self.done) / self.rate if self.rate else None


def _failure(run: Run) -> str:
    stage = run.results.get("failed_stage")
    where = f"see the log of its task {stage} in Airflow" if stage else "see it in Airflow"
    why = run.results.get("error") or ("it did not say why" if run.results else "it wrote no summary")
    if stage == "validate_checks":
        why = f"stopped by validation: {why}"
        where = "see lapsewatch.check_validation"
    return f"{run.airflow.run_id} has failed ({why}): {where}"
