"""The real DAG under a virtual clock: Airflow, both databases and the simulated internet, day after day."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

import pytest
import requests
from lapsewatch import connections
from lapsewatch.core.cadence import NextCheck, Source
from lapsewatch.core.case_json import read_history
from lapsewatch.core.lifecycle import History
from lapsewatch.core.policy import Verdict
from lapsewatch.params import PER_TLD
from lapsewatch.stages import corroborate_checks as corroborate
from lapsewatch.stages.run import Run
from sqlalchemy import Engine, event

from evaluation.year import RUNS
from local import virtual_clock
from simulator.world import World
from tests.conftest import seed_users, simulated
from tests.e2e.conftest import Installation
from tests.e2e.conftest import airflow as airflow
from tests.e2e.conftest import connections as airflow_connections

NO_LIMITS = {
    f"{limit}{scope}": most
    for scope in ("", PER_TLD)
    for limit, most in {
        "max_unverifications": 1_000_000,
        "max_address_share": 1.0,
        "max_domain_share": 1.0,
        "max_growth": 1_000_000.0,
    }.items()
}
"""Nobody is there to approve what is above them."""


class Known(NamedTuple):
    """What is known of a domain after a run; an open lapse is the history's `lapsed_at`."""

    history: History
    verdict: Verdict
    next: NextCheck


class WorkerLostError(Exception):
    """What Airflow makes of a task whose process is gone."""


@dataclass
class TimeLapse:
    """An installation of which everybody's clock stands at the instant of a day's run, as in the contest."""

    installation: Installation
    now: datetime = RUNS[0]

    def run(self, day: int, *faults: dict[str, Any]) -> str:
        """Run the DAG on a day, in its weather, and return the state of the run; once more is the same run, again."""
        self.now = RUNS[day]
        internet = self.installation.internet
        clock = {"now": self.now.isoformat()}
        requests.put(f"{internet.url}/_simulator/clock", json=clock, timeout=5).raise_for_status()
        internet.order_faults(*faults)
        virtual_clock.set_to(self.now, self.installation.status_url)
        return self.installation.run(self.now.replace(hour=0, minute=0), dry_run=False, **NO_LIMITS)

    def known(self) -> dict[str, Known]:
        """Return what is known of every domain."""
        rows = self.installation.status(
            "select domain, history, verdict, next_check_at, next_source from lapsewatch.domain_status"
            " join lapsewatch.domain_history using (domain)"
        )
        return {
            row["domain"]: Known(
                read_history(row["history"]),
                Verdict(row["verdict"]),
                NextCheck(row["next_check_at"], Source(row["next_source"])),
            )
            for row in rows
        }

    def unverified(self) -> set[str]:
        """Return the domains whose address is unverified."""
        return {email.partition("@")[2] for email in self.installation.unverified()}


@pytest.fixture
def time_lapse(
    airflow: None,
    world: World,
    status_url: str,
    user_url: str,
    reader_url: str,
    unverifier_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TimeLapse]:
    seed_users(user_url, world)
    virtual_clock.install(status_url)
    with simulated(world) as internet:
        for name, value in airflow_connections(status_url, reader_url, unverifier_url, internet).items():
            monkeypatch.setenv(name, value)
        lapse = TimeLapse(Installation(status_url, user_url, internet))
        monkeypatch.setattr("lapsewatch.tasks.utc_now", lambda: lapse.now)
        yield lapse


@pytest.fixture
def lose_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has the next run's `corroborate_checks` killed (SIGKILL) when it is about to write answers a second time."""

    def lose() -> None:
        with_all = corroborate.corroborate_checks

        def killed(run: Run, *_: object) -> NoReturn:
            monkeypatch.setattr(corroborate, "corroborate_checks", with_all)
            child = os.fork()
            if child == 0:
                act_and_die(run)
            _, end = os.waitpid(child, 0)
            assert end == signal.SIGKILL
            raise WorkerLostError

        def act_and_die(run: Run) -> NoReturn:
            """Never returns: the child must not come back into the tests."""
            writes = 0

            def count(_connection: object, _cursor: object, text: str, *_: object) -> None:
                nonlocal writes
                writes += "update lapsewatch.domain_check" in text
                if writes == 2:
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                # A connection of the parent's is not the child's to use.
                event.listen(Engine, "before_cursor_execute", count)
                with connections.status_database() as status, connections.witnesses(status) as witnesses:
                    with_all(run, witnesses, status)
            finally:
                os._exit(1)

        monkeypatch.setattr(corroborate, "corroborate_checks", killed)

    return lose
