import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from lapsewatch.commands.airflow_backfills import AirflowRefused, AirflowRun, _refusal, create_command
from lapsewatch.commands.backfill_progress import Progress
from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.cadence import COHORTS, cohort_of, cohort_of_day
from lapsewatch.core.errors import RunStopped
from lapsewatch.stages.run import STAGES
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.status_database.journal import stage
from sqlalchemy import Engine, text

from tests.commands.conftest import Run
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
        *("--from-date", "2026-10-01", "--to-date", "2026-10-30"),
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
        ("ValueError: something else", AirflowRefused, "Airflow refused: something else"),
    ],
)
def test_what_airflow_refuses_is_said_in_a_line(last_line: str, kind: type, reason: str) -> None:
    error = refused(last_line)
    assert isinstance(error, kind)
    assert reason in str(error)
    assert "Traceback" not in str(error)
