"""Real runs of the DAG, one day after the other, by `dag.test()` and under a virtual clock.

In a process of its own: Airflow reads its environment when it is imported. The days come on standard input, as JSON.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

import requests
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.utils.db import initdb
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from lapsewatch import tasks
from lapsewatch.commands import main as lapsewatch

from local import schemas, virtual_clock
from local.checkout import DAGS

DAG_ID = "check_domain_status"
TRIGGERED_BY = {
    DagRunType.SCHEDULED: DagRunTriggeredByType.TIMETABLE,
    DagRunType.BACKFILL_JOB: DagRunTriggeredByType.BACKFILL,
}


class SomebodyIsAsked(Exception):
    """The run waits for a person's answer, in Airflow."""


class Days:
    """The days of an installation: its status database, and its simulated internet."""

    def __init__(self, status_url: str, internet_url: str) -> None:
        self._status_url = status_url
        self._internet_url = internet_url

    def run(self, day: dict[str, Any]) -> str:
        """Run the DAG once as of the day's `now`; return the run's state, `asked` where it waits for a person."""
        now = datetime.fromisoformat(day["now"])
        virtual_clock.set_to(now, self._status_url)
        self._tell("clock", {"now": day["now"]})
        self._tell("faults", day["faults"])
        # A new one each time: `test` leaves its configuration in the DAG's Params.
        dag = DagBag(DAGS).dags[DAG_ID]
        for task in dag.tasks:
            task.retries = 0
        logical_date = datetime.fromisoformat(day["logical_date"])
        with (
            patch.object(tasks, "utc_now", lambda: now),
            patch("airflow.models.dagrun.get_or_create_dagrun", _run_of(DagRunType(day["run_type"]))),
            _not_waiting(),
        ):
            try:
                return str(dag.test(run_after=logical_date, logical_date=logical_date, run_conf=day["conf"]).state)
            except SomebodyIsAsked:
                return "asked"

    def _tell(self, what: str, order: object) -> None:
        requests.put(f"{self._internet_url}/_simulator/{what}", json=order, timeout=5).raise_for_status()


def _run_of(run_type: DagRunType) -> Any:
    """Return what `dag.test()` has its run made by, for runs that are not by hand."""

    def create(*, dag: Any, logical_date: datetime, run_after: datetime, **values: Any) -> DagRun:
        run_id = DagRun.generate_run_id(run_type=run_type, logical_date=logical_date, run_after=run_after)
        more = {"run_type": run_type, "state": DagRunState.RUNNING, "triggered_by": TRIGGERED_BY[run_type]}
        run: DagRun = dag.create_dagrun(
            logical_date=logical_date, run_after=run_after, **values | more | {"run_id": run_id}
        )
        return run

    return create


@contextmanager
def _not_waiting() -> Iterator[None]:
    """Leave `dag.test()` where it would wait for a person; the task is parked then. Raises SomebodyIsAsked."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("Waiting for Human-in-the-loop input"):
                raise SomebodyIsAsked

    log, ear = logging.getLogger("airflow.sdk.definitions.dag"), Ear()
    log.addHandler(ear)
    try:
        yield
    finally:
        log.removeHandler(ear)


def main() -> None:
    """Make Airflow's database, run the days, then the commands; raise RuntimeError where a day ends unlike its plan."""
    plan = json.load(sys.stdin)
    initdb()
    Pool.create_or_update_pool("status_api", slots=4, description="", include_deferred=False)
    status_url = plan["status_url"]
    virtual_clock.install(status_url)
    days = Days(status_url, plan["internet_url"])
    with schemas.checked_once():
        for day in plan["days"]:
            if (state := days.run(day)) != day["ends"]:
                raise RuntimeError(f"the run of {day['now']} ended as {state}, not as {day['ends']}")
            for command in day["then"]:
                if lapsewatch(command):
                    raise RuntimeError(f"lapsewatch {command[0]} failed")
    virtual_clock.remove(status_url)


if __name__ == "__main__":
    main()
