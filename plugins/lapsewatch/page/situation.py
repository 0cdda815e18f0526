"""What a visitor of the dashboard must know first: that all is well, or what is not, and what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from sqlalchemy import RowMapping as Row

from lapsewatch.core.wording import counted
from lapsewatch.page import addresses
from lapsewatch.page.wording import minute

LATE = timedelta(hours=26)
"""A daily run ends within a day of the one before, give or take two hours."""


class Concern(StrEnum):
    """What a notice is about, the most pressing first."""

    EMPTY = "empty"
    FAILED = "failed"
    STALE = "stale"
    WAITING = "waiting"
    RUNNING = "running"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go on; `is_airflows` is a page of Airflow's own."""

    text: str
    path: str
    is_airflows: bool = True


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know: in a few words, and in a sentence or two, with where to go on."""

    concern: Concern
    title: str
    text: str
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """All notices, the most pressing first, of which there is always one; and the state of the last run in words."""

    notices: Sequence[Notice]
    run_state: str = ""

    @classmethod
    def of(cls, run: Row, stages: Sequence[Row], questions: Sequence[Row], now: datetime) -> Self:
        """Judge by the rows of select_page_latest_run, of the run's stages, and of the open questions."""
        if run["run_id"] is None:
            return cls([_empty()])
        is_parked = run["run_id"] in {question["run_id"] for question in questions}
        under_way = [] if is_parked else _running(run, stages, now)
        found = [*_failed(run), *_stale(run, now), *_waiting(questions), *under_way]
        return cls(found or [_well(run)], _run_state(run, is_parked=is_parked))


def _empty() -> Notice:
    return Notice(
        Concern.EMPTY,
        "No run yet",
        f"Unpause the DAG {addresses.DAG_ID} in Airflow, or trigger it: it finds the domains behind verified addresses,"
        " and this page fills once its first run has ended. Runs are dry runs until told otherwise: nobody is"
        " unverified.",
        [Link(f"Open {addresses.DAG_ID} in Airflow", addresses.DAG)],
    )


def _failed(run: Row) -> Iterator[Notice]:
    if run["ended_state"] != "failed":
        return
    run_id, stage = run["ended_run_id"], run["failed_stage"]
    why = run["error"] or "it did not say why"
    links = [Link("Open the run in Airflow", addresses.airflow_run(run_id))]
    if stage == "validate_checks":
        why = f"validation stopped it: {why}"
        links.append(Link("What validation found", addresses.validation(run_id), is_airflows=False))
    yield Notice(
        Concern.FAILED,
        f"The last run failed at {stage or 'an unknown stage'}",
        f"{_sentence(why)} It ended on {minute(run['ended_at'])}; what earlier runs found still stands, and the next"
        " run takes up what this one left.",
        links,
    )


def _stale(run: Row, now: datetime) -> Iterator[Notice]:
    last = run["ended_at"]
    if _is_under_way(run, now) or (last is not None and now - last <= LATE):
        return
    if last is not None:
        title, since = f"Stale since {minute(last)}", f"The last run ended {_ago(now - last)} ago"
    else:
        title, since = "No run has ended yet", f"The first run began on {minute(run['started_at'])}"
    stuck = (
        ""
        if run["has_ended"]
        else f", and {run['run_id']} has shown no sign of life since {minute(run['last_sign_at'])}"
    )
    yield Notice(
        Concern.STALE,
        title,
        f"{since}{stuck}. Domains may have lapsed since. Look whether the DAG is paused, whether its run is stuck or"
        " queued, and whether the scheduler is alive.",
        [Link(f"Open {addresses.DAG_ID} in Airflow", addresses.DAG)],
    )


def _waiting(questions: Sequence[Row]) -> Iterator[Notice]:
    if questions:
        first = questions[0]
        what = (
            f"{counted(first['address_count'], 'address', 'addresses')} on {counted(first['domain_count'], 'domain')}"
        )
        more = len(questions) - 1
        others = f" {counted(more, 'other question waits', 'other questions wait')} too." if more else ""
        yield Notice(
            Concern.WAITING,
            "A run waits for your answer",
            f"It would unverify {what}, which is above its limits. Nobody is unverified unless somebody approves before"
            f" {minute(first['expires_at'])}.{others}",
            [
                Link("Answer in Airflow", addresses.question(first["run_id"])),
                Link("See the list", addresses.listed_run(first["run_id"]), is_airflows=False),
            ],
        )


def _running(run: Row, stages: Sequence[Row], now: datetime) -> Iterator[Notice]:
    if _is_under_way(run, now):
        at_work = [stage["stage"] for stage in stages if stage["state"] == "running"] or [stages[-1]["stage"]]
        yield Notice(
            Concern.RUNNING,
            "A run is under way",
            f"It began on {minute(run['started_at'])} and has come to {' and '.join(at_work)}. The figures below are"
            " those of the last run that has ended.",
            [Link("Open the run in Airflow", addresses.airflow_run(run["run_id"]))],
        )


def _well(run: Row) -> Notice:
    return Notice(Concern.WELL, "All is well", f"The last run succeeded on {minute(run['ended_at'])}.")


def _run_state(run: Row, *, is_parked: bool) -> str:
    if run["has_ended"]:
        return "succeeded" if run["own_state"] == "success" else "failed"
    return "waits for an answer" if is_parked else "under way"


def _is_under_way(run: Row, now: datetime) -> bool:
    return not run["has_ended"] and now - run["last_sign_at"] <= LATE


def _ago(time: timedelta) -> str:
    hours = int(time / timedelta(hours=1))
    return counted(hours, "hour") if hours < 72 else counted(hours // 24, "day")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
