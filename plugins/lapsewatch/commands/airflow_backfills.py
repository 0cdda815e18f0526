"""What `lapsewatch backfill` has Airflow do, through Airflow's own commands, as processes."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.errors import LapsewatchError

DAG_ID = "check_domain_status"
ENDED = {"success", "failed"}
"""The states in which Airflow has done with a run; the others are `queued` and `running`."""

LAST_LINE_OF_ERROR = re.compile(r"^(?:\w+\.)*(?P<error>\w+): (?P<text>.*)$", re.MULTILINE)


class AirflowRefused(LapsewatchError):
    """Airflow did not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class AirflowRun:
    """A run as Airflow knows it: its id, its day (UTC), and `queued`, `running`, `success` or `failed`."""

    run_id: str
    day: date
    state: str


def create_command(days: tuple[date, date], max_active_runs: int, conf: str | None, reprocess: str) -> list[str]:
    """Return the arguments of `airflow` that create a backfill of all days from the first to the last."""
    first, last = days
    return [
        *("backfill", "create", "--dag-id", DAG_ID, "--from-date", _midnight(first), "--to-date", _midnight(last)),
        *("--max-active-runs", f"{max_active_runs}", "--reprocess-behavior", reprocess),
        *(("--dag-run-conf", conf) if conf is not None else ()),
    ]


def create(command: Sequence[str]) -> None:
    """Create a backfill. Raises BadInput where its configuration does not suit the DAG, else AirflowRefused."""
    done = _airflow(command)
    if done.returncode:
        raise _refusal(done)
    sys.stderr.write(done.stderr)


def runs_of(days: tuple[date, date] | None) -> list[AirflowRun]:
    """Return the run of each day from the first to the last; without days, the backfill's runs that have not ended.

    Raises AirflowRefused.
    """
    between = ("--start-date", _midnight(days[0]), "--end-date", _midnight(days[1])) if days else ()
    runs = [_run(listed) for listed in _json("dags", "list-runs", DAG_ID, *between) if listed["logical_date"]]
    if days:
        # Manual runs have a time of their own, unless somebody gives them a day's.
        found = [run for moment, run in runs if moment.time() == time()]
    else:
        found = [run for _, run in runs if run.run_id.startswith("backfill__") and run.state not in ENDED]
    return sorted(found, key=lambda run: run.day)


def is_paused() -> bool:
    """Tell whether the DAG is paused: then Airflow begins no run. Raises AirflowRefused."""
    return bool(_json("dags", "details", DAG_ID)[0]["is_paused"])


def _midnight(day: date) -> str:
    """Return the day's first instant. Of a date without a zone Airflow makes one of its own `default_timezone`."""
    return datetime.combine(day, time(), UTC).isoformat()


def _run(listed: dict[str, str]) -> tuple[datetime, AirflowRun]:
    moment = datetime.fromisoformat(listed["logical_date"]).astimezone(UTC)
    return moment, AirflowRun(listed["run_id"], moment.date(), listed["state"])


def _json(*command: str) -> list[dict[str, str]]:
    done = _airflow([*command, "--output", "json"])
    if done.returncode:
        raise _refusal(done)
    # Its warnings stand there too.
    answers = [line for line in done.stdout.splitlines() if line.startswith("[")]
    if not answers:
        raise _refusal(done)
    found: list[dict[str, str]] = json.loads(answers[-1])
    return found


def _airflow(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "airflow", *command]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - no shell is involved


def _refusal(done: subprocess.CompletedProcess[str]) -> LapsewatchError:
    """Return what Airflow's traceback comes to."""
    said = done.stdout + done.stderr
    lines = [line for line in said.splitlines() if line.strip()]
    found = list(LAST_LINE_OF_ERROR.finditer(said))
    if "airflow db migrate" in said:
        return AirflowRefused(
            "Airflow's database is not up to date, or is another one than it should be: `airflow db migrate`"
        )
    error, text = (found[-1]["error"], found[-1]["text"]) if found else ("", lines[-1] if lines else "no word")
    match error:
        case "AlreadyRunningBackfill":
            return AirflowRefused(
                f"another backfill of {DAG_ID} has not ended, and Airflow does one at a time: `lapsewatch backfill"
                " --follow` follows it, and in Airflow it can be cancelled"
            )
        case "DagNotFound":
            return AirflowRefused(
                f"Airflow does not know the DAG {DAG_ID}: does its dag-processor run, and on this database?"
            )
        case "InvalidBackfillConf":
            return BadInput(f"--conf does not suit the DAG's Params: {text}")
    return AirflowRefused(f"Airflow refused: {text}")
