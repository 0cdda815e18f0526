import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from lapsewatch.commands.airflow_backfills import AirflowRefused, AirflowRun, _refusal, create, create_command, runs_of
from lapsewatch.commands.backfill_progress import Progress
from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.cadence import COHORTS, cohort_of, cohort_of_day
from lapsewatch.core.errors import RunStopped
from lapsewatch.stages.run import STAGES
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.status_database.journal import stage
from sqlalchemy import Engine, text

from tests.commands.conftest import Environment, Run
from tests.e2e.conftest import connection_json
from tests.stages.conftest import RUN, Check
from tests.stages.conftest import check as check

FIRST = date(2026, 10, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(COHORTS)]
DAY_OF_COHORT = {cohort_of_day(day): day for day in DAYS}
DOMAINS = [f"alive{number}.com" for number in range(40)]
DAY_OF = {domain: DAY_OF_COHORT[cohort_of(domain)] for domain in DOMAINS}
BUSY_DAY = max(DAYS, key=lambda day: list(DAY_OF.values()).count(day))
SHARE = list(DAY_OF.values()).count(BUSY_DAY)
TODAY = datetime.now(UTC).date()

FollowRun = Callable[..., None]


def run_id_of(day: date) -> str:
    return f"backfill__{midnight(day).isoformat()}"


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def queued(*days: date) -> list[AirflowRun]:
    return [AirflowRun(run_id_of(day), day, "queued") for day in days]


@pytest.fixture
def backfill_run(check: Check, status: Engine, add_addresses: Callable[..., None]) -> FollowRun:
    """Takes a day's run of a backfill as far as answered rows, and to its summary where it is to end."""
    add_addresses(*(f"someone@{domain}" for domain in DOMAINS))

    def go(day: date, *, is_to_end: bool = True) -> None:
        run = check({}, run_id=run_id_of(day), as_of=midnight(day), is_backfill=True)
        for name in STAGES if is_to_end else STAGES[: STAGES.index("validate_checks")]:
            with stage(status, run.run_id, name):
                pass
        if is_to_end:
            summarise_run(run, status)

    return go


def look(progress: Progress, status: Engine, at: float = 0) -> list[str]:
    with status.connect() as connection:
        return progress.look(connection, at)


def began(status: Engine) -> datetime:
    with status.connect() as connection:
        return connection.execute(text("select clock_timestamp()")).scalar_one()


def test_what_is_planned_and_what_is_not_yet_add_up_to_all_domains(backfill_run: FollowRun, status: Engine) -> None:
    progress = Progress(queued(*DAYS), began(status))
    look(progress, status)
    assert (progress.done, progress.total) == (0, 0)  # nothing was extracted yet
    backfill_run(BUSY_DAY, is_to_end=False)
    look(progress, status)
    assert (progress.done, progress.total) == (SHARE, len(DOMAINS))
    assert (progress.count("running"), progress.count("queued")) == (1, len(DAYS) - 1)


def test_it_has_ended_when_every_run_has(backfill_run: FollowRun, status: Engine) -> None:
    progress = Progress(queued(*DAYS), began(status))
    for day in DAYS:
        assert not progress.has_ended
        backfill_run(day)
        look(progress, status)
    assert progress.has_ended
    assert progress.count("success") == len(DAYS)
    assert (progress.done, progress.total, progress.calls) == (len(DOMAINS),) * 3


def test_domains_with_evidence_are_left_out_unless_whole_cohorts_are_asked_about(
    backfill_run: FollowRun, status: Engine
) -> None:
    backfill_run(BUSY_DAY, is_to_end=False)
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_status set checked_at = now() where domain = 'alive1.com'"))
    later = [day + timedelta(days=COHORTS) for day in DAYS]
    for whole, expected in ((False, len(DOMAINS) - 1), (True, len(DOMAINS))):
        progress = Progress(queued(*later), began(status), whole_cohorts=whole)
        look(progress, status)
        assert progress.total == expected


def test_the_rate_is_that_of_the_last_minute(backfill_run: FollowRun, status: Engine) -> None:
    progress = Progress(queued(BUSY_DAY), began(status))
    look(progress, status, at=0)
    assert progress.seconds_left is None
    backfill_run(BUSY_DAY, is_to_end=False)
    look(progress, status, at=10)
    assert progress.rate == SHARE / 10
    assert progress.seconds_left == 0
    look(progress, status, at=200)
    assert progress.rate == 0


def test_a_summary_from_before_is_not_taken_for_this_runs(backfill_run: FollowRun, status: Engine) -> None:
    backfill_run(BUSY_DAY)
    progress = Progress(queued(BUSY_DAY), began(status))
    look(progress, status)
    assert not progress.has_ended
    backfill_run(BUSY_DAY)
    look(progress, status)
    assert progress.has_ended


def test_what_is_to_be_asked_again_does_not_count_as_done(backfill_run: FollowRun, status: Engine) -> None:
    backfill_run(BUSY_DAY)
    for recheck, done in ((False, SHARE), (True, 0)):
        progress = Progress(queued(BUSY_DAY), began(status), whole_cohorts=recheck, recheck=recheck)
        look(progress, status)
        assert (progress.done, progress.total) == (done, SHARE)


def test_a_run_that_ended_before_counts_with_what_it_did(backfill_run: FollowRun, status: Engine) -> None:
    backfill_run(BUSY_DAY)
    progress = Progress([AirflowRun(run_id_of(BUSY_DAY), BUSY_DAY, "success")], began(status))
    assert look(progress, status) == []
    assert (progress.done, progress.total) == (SHARE, SHARE)


def test_a_run_stopped_by_validation_is_told_once_with_where_to_look(backfill_run: FollowRun, status: Engine) -> None:
    progress = Progress(queued(BUSY_DAY), began(status))
    backfill_run(BUSY_DAY, is_to_end=False)
    run_id = run_id_of(BUSY_DAY)
    with pytest.raises(RunStopped), stage(status, run_id, "validate_checks"):
        raise RunStopped("too many newly adverse")
    summarise_run(replace(RUN, run_id=run_id, as_of=midnight(BUSY_DAY), is_backfill=True), status)
    [told] = look(progress, status)
    assert run_id in told
    assert "stopped by validation: too many newly adverse" in told
    assert "lapsewatch.check_validation" in told
    assert look(progress, status) == []
    assert progress.count("failed") == 1


def test_what_has_stopped_for_now_is_told(backfill_run: FollowRun, status: Engine) -> None:
    progress = Progress(queued(BUSY_DAY), began(status))
    backfill_run(BUSY_DAY, is_to_end=False)
    with pytest.raises(RunStopped), stage(status, run_id_of(BUSY_DAY), "check_batch", 0):
        raise RunStopped("the call budget is spent, it goes on at 2026-11-23 00:00 UTC")
    [told] = look(progress, status)
    assert "check_batch has stopped for now: the call budget is spent, it goes on at 2026-11-23 00:00 UTC" in told


def test_a_run_that_waits_for_a_person_is_told(backfill_run: FollowRun, status: Engine) -> None:
    progress = Progress(queued(BUSY_DAY), began(status))
    backfill_run(BUSY_DAY, is_to_end=False)
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.unverification_approval (run_id, asked_at, expires_at, covers, exceeded,"
                " address_count, domain_count, suspicious_count) values (:run_id, now(), '2099-01-01 00:00Z', 'run',"
                " '[]', 1, 1, 0)"
            ),
            {"run_id": run_id_of(BUSY_DAY)},
        )
    [told] = look(progress, status)
    assert "waits for a person: in Airflow, under Required Actions" in told
    assert look(progress, status) == []


def test_airflow_is_believed_about_a_run_that_left_no_summary(status: Engine) -> None:
    progress = Progress(queued(BUSY_DAY), began(status))
    progress.believe([AirflowRun(run_id_of(BUSY_DAY), BUSY_DAY, "failed")])
    [told] = look(progress, status)
    assert "has failed (it wrote no summary): see it in Airflow" in told
    assert progress.has_ended


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--from", "2026-13-01"], "'2026-13-01' is no day: YYYY-MM-DD"),
        (["--from", "2026-10-01"], "both --from and --to"),
        ([], "both --from and --to"),
        (["--from", "2026-10-02", "--to", "2026-10-01"], "--from is after --to"),
        (["--from", "2026-10-01", "--to", str(TODAY + timedelta(days=2))], "--to is in the future"),
        (["--from", "2026-10-01", "--to", "2026-10-01", "--conf", "{dry_run: false}"], "--conf is no JSON"),
        (["--from", "2026-10-01", "--to", "2026-10-01", "--conf", "[1]"], "--conf is no JSON object"),
    ],
)
def test_what_makes_no_sense_is_refused_before_airflow_is_asked(
    lapsewatch: Run, arguments: list[str], reason: str
) -> None:
    done = lapsewatch("backfill", *arguments)
    assert done.returncode == 2
    assert reason in done.stderr


def test_airflow_is_told_everything() -> None:
    conf = json.dumps({"dry_run": False})
    command = create_command((FIRST, FIRST + timedelta(days=29)), 3, conf, "completed")
    assert command == [
        *("backfill", "create", "--dag-id", "check_domain_status"),
        *("--from-date", "2026-10-01T00:00:00+00:00", "--to-date", "2026-10-30T00:00:00+00:00"),
        *("--max-active-runs", "3", "--reprocess-behavior", "completed", "--dag-run-conf", '{"dry_run": false}'),
    ]


def refused(last_line: str) -> Any:
    traceback = f'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n{last_line}\n'
    return _refusal(subprocess.CompletedProcess([], 1, stdout="", stderr=traceback))


@pytest.mark.parametrize(
    ("last_line", "kind", "reason"),
    [
        (
            "airflow.models.backfill.AlreadyRunningBackfill: Another backfill is running for Dag check_domain_status.",
            AirflowRefused,
            "`lapsewatch backfill --follow` follows it",
        ),
        ("airflow.exceptions.DagNotFound: Could not find dag check_domain_status", AirflowRefused, "dag-processor"),
        (
            "airflow.models.backfill.InvalidBackfillConf: Invalid input for param scope: 'x' is not one of ['due']",
            BadInput,
            "Params: Invalid input for param scope",
        ),
        (
            "2026-11-22T11:11:44Z [error    ] Database migration required. Please run `airflow db migrate`.",
            AirflowRefused,
            "Airflow's database is not up to date",
        ),
        ("ValueError: something else", AirflowRefused, "Airflow refused: something else"),
    ],
)
def test_what_airflow_refuses_is_said_in_a_line(last_line: str, kind: type, reason: str) -> None:
    error = refused(last_line)
    assert isinstance(error, kind)
    assert reason in str(error)
    assert "Traceback" not in str(error)


TOKYO = {"AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Tokyo"}


@pytest.fixture(scope="module")
def airflow_in_tokyo(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of an Airflow that knows the DAG and takes dates without a zone for Tokyo's."""
    home = tmp_path_factory.mktemp("airflow")
    ours = {name: os.environ[name] for name in ("AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER")}
    env = ours | TOKYO | airflow_at(home) | {"PATH": os.environ["PATH"], "HOME": str(home)}
    for command in ("db migrate", "dags reserialize"):
        subprocess.run([sys.executable, "-m", "airflow", *command.split()], env=env, capture_output=True, check=True)
    return env


def airflow_at(home: Path) -> Environment:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    }


def test_every_day_has_its_run_whatever_airflows_own_time_zone(
    airflow_in_tokyo: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in airflow_in_tokyo.items():
        monkeypatch.setenv(name, value)
    days = (DAYS[0], DAYS[-1])
    create(create_command(days, 2, None, "none"))
    assert [(run.day, run.run_id) for run in runs_of(days)] == [(day, run_id_of(day)) for day in DAYS]
    assert {run.day for run in runs_of(None)} == set(DAYS)


def test_days_without_a_run_are_named_and_it_has_not_succeeded(
    lapsewatch: Run, status_url: str, airflow_in_tokyo: Environment, backfill_run: FollowRun
) -> None:
    """A month in which Airflow knows of a single run, whatever became of the others."""
    with sqlite3.connect(airflow_in_tokyo["AIRFLOW_HOME"] + "/airflow.db") as airflow:
        airflow.execute("delete from backfill_dag_run")
        airflow.execute("delete from dag_run where run_id <> ?", [run_id_of(BUSY_DAY)])
        airflow.execute("update dag_run set state = 'success'")
    backfill_run(BUSY_DAY)
    env = airflow_in_tokyo | {"AIRFLOW_CONN_STATUS_DB": connection_json(status_url)}
    around = ["--from", str(BUSY_DAY - timedelta(days=1)), "--to", str(BUSY_DAY + timedelta(days=2))]
    done = lapsewatch("backfill", "--follow", *around, env=env)
    missing = ", ".join(str(BUSY_DAY + timedelta(days=number)) for number in (-1, 1, 2))
    assert f"Airflow has no run of {missing}: `lapsewatch backfill`" in done.stderr
    assert "1 of 1 run succeeded" in done.stdout
    assert f"Airflow has no run of {missing}: nobody was asked" in done.stdout
    assert done.returncode == 1
    done = lapsewatch("backfill", "--follow", "--from", str(BUSY_DAY), "--to", str(BUSY_DAY), env=env)
    assert (done.returncode, "no run of" in done.stdout) == (0, False)
    done = lapsewatch("backfill", "--follow", "--from", "2026-08-01", "--to", "2026-08-02", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Airflow has no run of these days: `lapsewatch backfill` without --follow" in done.stderr


def test_an_airflow_without_its_tables_says_what_to_run(lapsewatch: Run, status_url: str, home: Path) -> None:
    env = airflow_at(home) | {"AIRFLOW_CONN_STATUS_DB": connection_json(status_url)}
    done = lapsewatch("backfill", "--from", "2026-10-01", "--to", "2026-10-02", env=env)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("lapsewatch: Airflow's database is not up to date")
    assert "[error" not in done.stderr
