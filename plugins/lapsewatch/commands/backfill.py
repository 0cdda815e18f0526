"""`lapsewatch backfill`: has Airflow assess the domains of some days' cohorts, and follows the runs to their end."""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from lapsewatch.commands import airflow_backfills
from lapsewatch.commands.airflow_backfills import DAG_ID, AirflowRefused
from lapsewatch.commands.backfill_progress import Progress
from lapsewatch.commands.exit_codes import INTERRUPTED, OK, TROUBLE, BadInput
from lapsewatch.commands.progress import SECONDS_BETWEEN_LINES
from lapsewatch.commands.sources import open_status_database
from lapsewatch.core.wording import counted

SECONDS_BETWEEN_LOOKS = 2.0
LOOKS_SHARE = 0.1
"""The most of its time that following may spend in the database."""

STALLED_AFTER_SECONDS = 60.0
"""When nothing has happened for so long, Airflow is asked why."""

WHO_MAKES_RUNS = (
    "`lapsewatch backfill` without --follow has Airflow make them, and `airflow backfill create --dry-run` lists which"
    " it would make"
)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What `airflow backfill create` is to be told: the first and the last day, and how.

    Without days it is an existing backfill that is followed, whatever its days.
    """

    days: tuple[date, date] | None
    max_active_runs: int
    conf: str | None
    reprocess: str
    follow_only: bool

    @property
    def recheck(self) -> bool:
        """Whether domains are asked about that have an answer."""
        return json.loads(self.conf or "{}").get("recheck") is True

    @property
    def whole_cohorts(self) -> bool:
        """Whether domains with evidence of the last 30 days are asked about too."""
        return self.recheck or json.loads(self.conf or "{}").get("scope") == "all"


def run(arguments: argparse.Namespace) -> int:
    """Create the backfill unless it is only to be followed; follow it; 0 where every run has succeeded."""
    order = _order(arguments)
    out = sys.stdout
    # Airflow talks on standard output, which belongs to the summary.
    with redirect_stdout(sys.stderr), open_status_database() as status:
        since = _now(status)
        if order.days and not order.follow_only:
            _create(order, order.days)
        try:
            progress = _followed(order, status, since)
        except KeyboardInterrupt:
            sys.stderr.write(
                "\nOnly the following has ended: the backfill goes on in Airflow, and `lapsewatch backfill --follow`"
                " follows it again.\n"
            )
            return INTERRUPTED
    if progress is None:
        sys.stderr.write("No run of a backfill is queued or running.\n")
        return OK
    out.writelines(f"{line}\n" for line in _summary(progress, order))
    is_whole = progress.count("success") == len(progress.runs) and not _days_without_run(order, progress)
    return OK if is_whole else TROUBLE


def _followed(order: Order, status: Engine, since: datetime) -> Progress | None:
    """Follow the runs to their end; None where none is at work. Raises AirflowRefused where no day has a run."""
    runs = airflow_backfills.runs_of(order.days)
    if not runs:
        if order.days:
            raise AirflowRefused(f"Airflow has no run of these days: {WHO_MAKES_RUNS}")
        return None
    progress = Progress(
        runs,
        since,
        troubles_since=None if order.follow_only else since,
        whole_cohorts=order.whole_cohorts,
        recheck=order.recheck and not order.follow_only,
    )
    if missing := _days_without_run(order, progress):
        sys.stderr.write(f"Airflow has no run of {_listed(missing)}: {WHO_MAKES_RUNS}\n")
    _follow(progress, status)
    return progress


def _days_without_run(order: Order, progress: Progress) -> list[date]:
    """Return the days whose domains nobody is asked about, although they were ordered."""
    if order.days is None:
        return []
    first, last = order.days
    have_run = {run.airflow.day for run in progress.runs.values()}
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day not in have_run]


def _listed(days: list[date]) -> str:
    return ", ".join(str(day) for day in days)


def _order(arguments: argparse.Namespace) -> Order:
    if arguments.conf is not None:
        _check_conf(arguments.conf)
    return Order(
        days=_days(arguments),
        max_active_runs=arguments.max_active_runs,
        conf=arguments.conf,
        reprocess=arguments.reprocess,
        follow_only=arguments.follow,
    )


def _days(arguments: argparse.Namespace) -> tuple[date, date] | None:
    first, last = arguments.first, arguments.last
    if first is None and last is None and arguments.follow:
        return None
    if first is None or last is None:
        raise BadInput("say both --from and --to; only --follow needs neither")
    if first > last:
        raise BadInput("--from is after --to")
    if last > datetime.now(UTC).date():
        raise BadInput("--to is in the future: a day has its run from its midnight (UTC) on")
    return first, last


def _check_conf(conf: str) -> None:
    try:
        is_object = isinstance(json.loads(conf), dict)
    except ValueError as error:
        raise BadInput(f"--conf is no JSON: {error}") from None
    if not is_object:
        raise BadInput("--conf is no JSON object, as in '{\"dry_run\": false}'")


def _create(order: Order, days: tuple[date, date]) -> None:
    command = airflow_backfills.create_command(days, order.max_active_runs, order.conf, order.reprocess)
    sys.stderr.write(f"airflow {shlex.join(command)}\n")
    airflow_backfills.create(command)


def _now(status: Engine) -> datetime:
    with status.connect() as connection:
        now: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return now


def _follow(progress: Progress, status: Engine) -> None:
    """Look again and again until all runs have ended; tell how far it has come, and what has gone wrong."""
    changed_at = asked_at = time.monotonic()
    signature: tuple[object, ...] = ()
    with _shown(progress) as (tell, show):
        while True:
            began = time.monotonic()
            try:
                with status.connect() as connection:
                    for line in progress.look(connection, began):
                        tell(line)
            except OperationalError:
                tell("The status database is out of reach: the runs wait for it, and so does this")
                time.sleep(SECONDS_BETWEEN_LINES)
                continue
            looked_for = time.monotonic() - began
            show()
            if progress.has_ended:
                return
            if progress.signature() != signature:
                signature, changed_at = progress.signature(), began
            elif began - max(changed_at, asked_at) > STALLED_AFTER_SECONDS:
                asked_at = began
                try:
                    _ask_airflow(progress, tell)
                except AirflowRefused as error:
                    tell(f"Nothing happens, and Airflow does not say why: {error}")
            time.sleep(max(SECONDS_BETWEEN_LOOKS, looked_for / LOOKS_SHARE))


def _ask_airflow(progress: Progress, tell: Tell) -> None:
    """Learn from Airflow which runs have ended without a word in the status database, and why none begins."""
    days = [run.airflow.day for run in progress.runs.values()]
    progress.believe(airflow_backfills.runs_of((min(days), max(days))))
    if not progress.count("queued") or progress.count("running"):
        return
    if airflow_backfills.is_paused():
        tell(f"No run begins, because the DAG is paused: `airflow dags unpause {DAG_ID}`, or the switch in Airflow")
    else:
        tell("No run begins: is the backfill paused in Airflow, and does Airflow's scheduler run?")


@contextmanager
def _shown(progress: Progress) -> Iterator[tuple[Tell, Callable[[], None]]]:
    """Yield what tells a line, and what shows how far it has come, as `commands.progress` does it."""
    if not sys.stderr.isatty():
        yield from _with_lines(progress)
        return
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("domains, {task.description}", markup=False))
    with Bars(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bars:
        task = bars.add_task(_rest(progress), total=None)

        def show() -> None:
            bars.update(task, completed=progress.done, total=progress.total or None, description=_rest(progress))

        yield lambda line: bars.console.print(line, markup=False), show


def _with_lines(progress: Progress) -> Iterator[tuple[Tell, Callable[[], None]]]:
    said_at = -SECONDS_BETWEEN_LINES

    def show() -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES or progress.has_ended:
            said_at = time.monotonic()
            sys.stderr.write(f"{progress.done:,} of {progress.total:,} domains, {_rest(progress)}\n")

    yield lambda line: print(line, file=sys.stderr), show


def _rest(progress: Progress) -> str:
    left = "" if progress.seconds_left is None else f", {timedelta(seconds=round(progress.seconds_left))} left"
    waiting = progress.count("queued")
    failed = f", {progress.count('failed')} failed" if progress.count("failed") else ""
    return (
        f"{progress.rate:,.0f}/s{left}; {counted(progress.calls, 'call')}; runs: {progress.count('success')} done,"
        f" {progress.count('running')} at work, {waiting} waiting{failed}"
    )


def _summary(progress: Progress, order: Order) -> Iterator[str]:
    runs = list(progress.runs.values())
    done = progress.count("success")
    yield f"{done} of {counted(len(runs), 'run')} succeeded, {runs[0].airflow.day} to {runs[-1].airflow.day}"

    def figure(name: str) -> int:
        return sum(run.results.get(name) or 0 for run in runs)

    yield f"  domains        {figure('planned_count'):,}, in {counted(progress.calls, 'call')}"
    yield f"    with evidence  {figure('checked_count'):,}"
    yield f"    without        {figure('no_evidence_count'):,}: later runs ask again"
    yield f"  newly lapsed   {figure('newly_lapsed_count'):,}"
    if any(run.results.get("dry_run") for run in runs):
        yield f"  addresses      {figure('candidate_count'):,} would be unverified: a dry run"
    else:
        yield f"  addresses      {figure('unverified_count'):,} unverified"
    if missing := _days_without_run(order, progress):
        yield f"Airflow has no run of {_listed(missing)}: nobody was asked about these days' domains"
    if progress.count("failed"):
        days = f"--from {runs[0].airflow.day} --to {runs[-1].airflow.day}"
        conf = f" --conf {shlex.quote(order.conf)}" if order.conf else ""
        yield f"The failed ones once more: lapsewatch backfill {days} --reprocess failed{conf}"
