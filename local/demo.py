"""The demo: a seeded world, the real DAG, and a summary that a person can read."""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import psycopg
from psycopg.rows import DictRow, dict_row
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local import airflow, installation
from local.installation import Installation, log_file

DAG_ID = "check_domain_status"
POLL_SECONDS = 0.25

STAGES = """
    select stage,
           case stage when 'check_batch' then count(planned) else 1 end as total,
           case stage when 'check_batch' then count(checked_at) else max(cast(state = 'success' as integer)) end as done
    from (select stage, min(started_at) as began, max(state) as state from lapsewatch.run_stage group by stage) as run
    left join (select domain as planned, checked_at from lapsewatch.domain_check) as checks on stage = 'check_batch'
    group by stage, began
    order by began
"""

FIRST_ASSESSMENT = {
    "scope": "all",
    "max_unverifications": 1000,
    "max_unverifications_per_tld": 500,
    "max_domain_share_per_tld": 1,
}
"""Everybody at once, above the limits of a daily run; elsewhere a backfill does it and a person is asked then."""

console = Console(highlight=False)


class DemoFailed(Exception):
    """The demo could not finish; the message says where to look."""


def run(accounts: int) -> None:
    """Set everything up, run the DAG once for real (not as a dry run), print what it did. Raises DemoFailed."""
    started = time.monotonic()
    console.print(f"[bold]Lapsewatch demo[/]: {accounts:,} invented accounts, a simulated internet, the real DAG")
    console.print("Not a dry run: addresses in the demo's own user database are unverified")
    console.print("A first assessment: the limits above which a person is asked are lifted\n")
    with installation.running(accounts) as installed, _progress() as progress:
        _prepare(installed, progress)
        run_id = _run_dag(installed, progress)
        metrics = _metrics(installed, run_id)
    _print_summary(metrics, time.monotonic() - started)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    # Without a terminal there is nothing to animate: the bars are printed once, at the end.
    with Progress(*columns, console=console) as progress:
        yield progress


def _prepare(installed: Installation, progress: Progress) -> None:
    """Start from scratch: a demo that is repeated shows the same again."""
    installed.server.recreate(airflow.STATUS_DATABASE)
    steps = {
        "Migrate Airflow's database": installed.migrate_airflow,
        "Migrate the status database": installed.migrate_status_database,
        "Seed the user database": installed.seed_users,
    }
    bars = {name: progress.add_task(name, total=1) for name in steps}
    with ThreadPoolExecutor() as side_by_side:
        done = {side_by_side.submit(step): name for name, step in steps.items()}
        for step in as_completed(done):
            step.result()
            progress.advance(bars[done[step]])


def _run_dag(installed: Installation, progress: Progress) -> str:
    """Run the DAG as `airflow dags test` does, follow it through the status database, return the run's id."""
    log = log_file("demo")
    conf = json.dumps({"dry_run": False, **FIRST_ASSESSMENT})
    process = airflow.start(installed.airflow, "dags", "test", DAG_ID, "--conf", conf, log=log)
    try:
        with psycopg.connect(
            installed.server.url(airflow.STATUS_DATABASE), autocommit=True, row_factory=dict_row
        ) as connection:
            _follow(connection, process, progress)
            run = connection.execute("select run_id, state, error from lapsewatch.run_metrics").fetchone()
    finally:
        airflow.stop(process)
    if run is None or run["state"] != "success":
        trouble = run["error"] if run else "it wrote no summary"
        raise DemoFailed(f"the run failed ({trouble}): its log is {log}")
    run_id: str = run["run_id"]
    return run_id


def _follow(connection: psycopg.Connection[DictRow], process: subprocess.Popen[bytes], progress: Progress) -> None:
    bars = {"airflow": progress.add_task("Airflow starts", total=1)}
    running = True
    while running:
        running = process.poll() is None
        for row in connection.execute(STAGES).fetchall():
            progress.update(bars["airflow"], completed=1)
            stage = row["stage"]
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=row["total"])
            progress.update(bars[stage], completed=row["done"])
        time.sleep(POLL_SECONDS)


def _metrics(installed: Installation, run_id: str) -> DictRow:
    with psycopg.connect(installed.server.url(airflow.STATUS_DATABASE), row_factory=dict_row) as connection:
        row = connection.execute("select * from lapsewatch.run_metrics where run_id = %s", [run_id]).fetchone()
    if row is None:
        raise DemoFailed("the run's summary is gone")
    return row


def _print_summary(metrics: DictRow, seconds: float) -> None:
    table = Table(title="check_domain_status", show_header=False, title_justify="left", min_width=60)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Verified addresses seen", f"{metrics['address_count']:,}")
    table.add_row("  on well-known providers, skipped", f"{metrics['provider_address_count']:,}")
    table.add_row("  malformed or without a domain, set aside", f"{metrics['set_aside_count']:,}")
    table.add_row("Custom domains", f"{metrics['domain_count']:,}")
    table.add_row("  checked", f"{metrics['checked_count']:,}")
    for phase, count in sorted(metrics["phases"].items(), key=lambda item: -item[1]):
        table.add_row(f"    {phase}", f"{count:,}")
    table.add_row("  no evidence, asked again by the next run", f"{metrics['no_evidence_count']:,}")
    table.add_row("Domains lapsed", f"{metrics['lapsed_domain_count']:,}")
    table.add_row("[bold]Addresses unverified[/]", f"[bold]{metrics['unverified_count']:,}[/]")
    table.add_row("Notifications written", f"{sum(metrics['notification_count'].values()):,}")
    table.add_row("Calls to the status API", f"{metrics['api_call_count']:,}")
    table.add_row("Questions to registries (RDAP)", f"{metrics['rdap_call_count']:,}")
    table.add_row("  left to later runs, the budget is spent", f"{metrics['unwitnessed_count']:,}")
    table.add_row("Questions to DNS", f"{metrics['dns_call_count']:,}")
    table.add_row("Seconds, everything included", f"{seconds:.0f}")
    console.print()
    console.print(table)
    console.print(
        """
Where to look next
  make psql    select phase, count(*) from lapsewatch.domain_status group by 1;
               select domain, reason from lapsewatch.domain_lapse limit 5;
  make ui      Airflow's pages over these databases, Lapsewatch's among them, with the DAG to trigger
  README.md    how to point it at your user database, in a dry run first"""
    )
