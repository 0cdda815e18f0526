"""What the tests of single stages share: a run, and a way to bring the status database to any point of the walk."""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, NoReturn

import pytest
from lapsewatch.clients.asking import Answer
from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.cadence import Pace
from lapsewatch.core.case_json import read_history
from lapsewatch.core.evidence import (
    DnsOutcome,
    DnsReading,
    Evidence,
    NoEvidence,
    NoEvidenceReason,
    Outcome,
    RdapOutcome,
    RdapReading,
    read_flags,
)
from lapsewatch.stages.check_batch import answer_row
from lapsewatch.stages.corroborate_checks import corroborate_checks
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.status_database.journal import Counts, stage
from lapsewatch.status_database.open_batch import OpenBatch
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile
from sqlalchemy import Engine, create_engine, event, text

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
RUN = Run(run_id="first", as_of=AS_OF, scope="all", dry_run=False)

Row = dict[str, Any]


def rows(engine: Engine, query: str, **values: Any) -> list[Row]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query), values).mappings()]


def outcome_of(status: str | NoEvidenceReason) -> Outcome:
    if isinstance(status, NoEvidenceReason):
        return NoEvidence(status)
    flags = read_flags(status)
    assert flags is not None
    return Evidence(flags, raw=status)


def plan_and_unverify(run: Run, users: UserDatabase, status: Engine) -> Counts:
    """Plan and carry out, as a run does that needs no approval; one that does stops after its question."""
    counts = plan_unverifications(run, users, status)
    if counts["question_count"]:
        return counts
    return counts | unverify_emails(run, users, status)


class Killed(BaseException):
    """Stands for the process dying at this point."""


def is_killed(act: Callable[[Engine, UserDatabase], object], status: Engine, users: UserDatabase, before: int) -> bool:
    """Act in a process of its own that is killed before its n-th statement; tell whether it came so far."""
    child = os.fork()
    if child == 0:
        act_and_die(act, status, users, before)
    _, end = os.waitpid(child, 0)
    assert end in {signal.SIGKILL, 0}
    return bool(end)


def act_and_die(
    act: Callable[[Engine, UserDatabase], object], status: Engine, users: UserDatabase, before: int
) -> NoReturn:
    """Never returns: the child must not come back into the tests."""
    statements = count()

    def next_statement(*_: object) -> None:
        if next(statements) == before:
            os.kill(os.getpid(), signal.SIGKILL)

    exit_status = 1
    try:
        # A connection of the parent's is not the child's to use.
        own = [create_engine(engine.url) for engine in (status, users._engine)]
        for engine in own:
            event.listen(engine, "before_cursor_execute", next_statement)
            event.listen(engine, "commit", next_statement)
        act(own[0], UserDatabase(own[1], load_profile("pypi")))
        exit_status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the child ends here and shows it
        traceback.print_exc()
    finally:
        os._exit(exit_status)


def answer_batch(run: Run, batch: int, told: Mapping[str, str | NoEvidenceReason], status: Engine) -> None:
    """Answer the open rows of a batch as told (`active` unless told)."""
    with OpenBatch(status, run.run_id, batch, threading.Event()) as open_batch:
        answers = [
            answer_row(
                run,
                Answer(domain, outcome_of(told.get(domain, "active")), run.clock(), 5, 1),
                read_history(previous),
                Pace(run.cadence, open_batch.api_interval),
            )
            for domain, previous in open_batch.rows()
        ]
        open_batch.record(answers, run.client, run.policy)


def forget_answer(status: Engine, run_id: str, *domains: str) -> None:
    """Leave domains unasked, as a spent budget does."""
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.domain_check set checked_at = null, outcome = null, no_evidence_reason = null,"
                " verdict = null where run_id = :run_id and domain = any(:domains)"
            ),
            {"run_id": run_id, "domains": list(domains)},
        )


Check = Callable[..., Run]

RECORDS = {
    "expiring": RdapReading(RdapOutcome.FOUND, ("redemption period",), registered_at=datetime(2010, 1, 1, tzinfo=UTC)),
    "deleting": RdapReading(RdapOutcome.FOUND, ("pending delete",), registered_at=datetime(2010, 1, 1, tzinfo=UTC)),
    "inactive": RdapReading(RdapOutcome.NOT_FOUND),
    "active": RdapReading(RdapOutcome.FOUND, ("active",), registered_at=datetime(2010, 1, 1, tzinfo=UTC)),
}
SILENT_REGISTRY = RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVER_ERROR)
SILENT_DNS = DnsReading(DnsOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVFAIL)


class SilentDns:
    """DNS that is out of order."""

    def reading(self, domain: str, hosts: object) -> DnsReading:
        return SILENT_DNS


@pytest.fixture
def check(status: Engine, users: UserDatabase) -> Check:
    """Take a run as far as answered rows: extract and plan for real, then answer as told (`active` unless told).

    The registry agrees with the flags unless told otherwise, DNS is silent.
    """

    def answer(
        told: Mapping[str, str | NoEvidenceReason],
        run: Run = RUN,
        records: Mapping[str, RdapReading] | None = None,
        **changes: Any,
    ) -> Run:
        run = replace(run, **changes)
        with stage(status, run.run_id, "extract_domains") as counts:
            counts |= extract_domains(run, users, status)
        with stage(status, run.run_id, "plan_batches") as counts:
            batches, counts["planned_count"] = plan_batches(run, status)
            counts["batch_count"] = len(batches)
        for batch in batches:
            answer_batch(run, batch, told, status)

        def registry(domain: str) -> RdapReading:
            agreeing = RECORDS.get(str(told.get(domain, "active")).rpartition(" ")[2], SILENT_REGISTRY)
            return (records or {}).get(domain, agreeing)

        corroborate_checks(run, Witnesses(registry, SilentDns()), status)
        return run

    return answer
