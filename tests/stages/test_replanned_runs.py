"""A run that is planned anew before its answers were published: nothing of the earlier plan has any effect."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.evidence import RdapReading
from lapsewatch.core.policy import Policy
from lapsewatch.stages.corroborate_checks import corroborate_checks
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.stages.validate_checks import validate_checks
from lapsewatch.status_database.journal import stage
from lapsewatch.status_database.open_batch import OpenBatch
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RECORDS, Row, SilentDns, answer_batch, forget_answer, rows

DOMAINS = ["adverse.com", "gone.com", "late.com", "odd.com", "renewed.com", "unwitnessed.com", "well.com"]
NOW = datetime.now(UTC)
PLANNED, REPLANNED, ANSWERED = NOW - timedelta(hours=2), NOW - timedelta(hours=1), NOW - timedelta(minutes=30)
FIRST = Run(run_id="first", as_of=PLANNED, scope="all")
AGAIN = replace(FIRST, recheck=True, clear_number=1)


def at(run: Run, now: datetime) -> Run:
    return replace(run, clock=lambda: now)


def change(status: Engine, query: str, **values: Any) -> None:
    with status.begin() as connection:
        connection.execute(text(query), values)


def checks(status: Engine, planned_at: datetime) -> list[Row]:
    query = "select * from lapsewatch.domain_check where planned_at = :at order by domain"
    return rows(status, query, at=planned_at)


def corroborate(run: Run, status: Engine, adverse: str = "", asked: list[str] | None = None) -> dict[str, Any]:
    def registry(domain: str) -> RdapReading:
        if asked is not None:
            asked.append(domain)
        return RECORDS["inactive" if domain == adverse else "active"]

    return corroborate_checks(run, Witnesses(registry, SilentDns()), status)


@pytest.fixture
def replanned(users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> Run:
    """One plan with answers of every kind, of which none is published; and another one, in which nothing is answered.

    Both plans' answers are of the same moment, so that no time stamp tells them apart.
    """
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))
    extract_domains(FIRST, users, status)
    query = "update lapsewatch.domain_status set checked_at = :at, phase = 'active', verdict = 'keep'"
    change(status, query, at=NOW - timedelta(days=30))
    plan_batches(at(FIRST, PLANNED), status)
    answered = at(FIRST, ANSWERED)
    answer_batch(answered, 0, {"adverse.com": "inactive"}, status)
    corroborate(answered, status, adverse="adverse.com")
    forget_answer(status, "first", "late.com")
    for domain, damage in {
        "unwitnessed.com": "witnessed_at = null, rdap = null",
        "well.com": "quarantine_reason = 'as it was'",
        "renewed.com": "is_renewed = true",
    }.items():
        change(status, f"update lapsewatch.domain_check set {damage} where domain = :domain", domain=domain)
    change(status, "update lapsewatch.domain_status set address_count = 0 where domain = 'gone.com'")
    plan_batches(at(AGAIN, REPLANNED), status)
    return AGAIN


CURRENT = [domain for domain in DOMAINS if domain != "gone.com"]


def open_lapse(status: Engine, domain: str) -> None:
    change(
        status,
        "insert into lapsewatch.domain_lapse"
        " (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id)"
        " values (:domain, :at, :at, 'observed', 'released', 'gone', '{flags}', '{}', 'corroborated', 'other')",
        domain=domain,
        at=NOW - timedelta(days=3),
    )


def test_it_asks_decides_and_publishes_as_if_it_had_no_earlier_plan(replanned: Run, status: Engine) -> None:
    before = checks(status, PLANNED)
    for domain in ("renewed.com", "gone.com"):
        open_lapse(status, domain)
    with OpenBatch(status, "first", 0, threading.Event()) as batch:
        assert batch.count() == len(CURRENT)
        assert [domain for domain, _ in batch.rows()] == CURRENT
    run = at(replanned, ANSWERED)
    answer_batch(run, 0, {}, status)

    asked: list[str] = []
    assert corroborate(run, status, asked=asked)["wanted_count"] == len(CURRENT)
    assert sorted(asked) == CURRENT

    change(
        status,
        "update lapsewatch.domain_check set call_count = 0 where domain = 'odd.com' and planned_at = :at",
        at=REPLANNED,
    )
    assert validate_checks(run, status) == {"row_count": len(CURRENT), "quarantined_count": 1}
    [judged] = rows(status, "select judged_count, newly_adverse_count from lapsewatch.check_validation")
    assert judged == {"judged_count": len(CURRENT) - 1, "newly_adverse_count": 0}

    counts = store_domain_status(run, status)
    assert counts == {"merged_count": len(CURRENT), "ended_lapse_count": 0, "opened_lapse_count": 0}
    found = rows(status, "select domain, verdict, run_id, lapsed_at from lapsewatch.domain_status order by domain")
    assert {row["verdict"] for row in found} == {"keep"}
    assert [row["domain"] for row in found if row["run_id"] != "first"] == ["gone.com", "odd.com"]
    # The run does not look at lapses of what it did not ask about.
    assert [row["domain"] for row in found if row["lapsed_at"]] == ["renewed.com"]
    assert checks(status, PLANNED) == before


def test_what_is_still_open_is_not_published_from_the_earlier_plan(replanned: Run, status: Engine) -> None:
    assert store_domain_status(at(replanned, ANSWERED), status)["merged_count"] == 0
    assert rows(status, "select domain from lapsewatch.domain_status where run_id = 'first'") == []


def test_late_answers_go_to_the_plan_that_asked_for_them(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    """An attempt lives on although nobody waits for it, while the run is planned anew."""
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))
    extract_domains(FIRST, users, status)
    plan_batches(at(FIRST, PLANNED), status)
    answer = {"domain": "well.com", "checked_at": ANSWERED.isoformat(), "call_count": 1, "is_renewed": False}
    with OpenBatch(status, "first", 0, threading.Event()) as orphan:
        plan_batches(at(AGAIN, REPLANNED), status)
        orphan.record([answer], "fastly", "corroborated")
        assert orphan.count() == len(DOMAINS) - 1
        assert [domain for domain, _ in orphan.rows()] == [domain for domain in DOMAINS if domain != "well.com"]
    assert [row["domain"] for row in checks(status, PLANNED) if row["checked_at"]] == ["well.com"]
    assert [row["domain"] for row in checks(status, REPLANNED) if row["checked_at"]] == []


def test_late_witnesses_go_to_the_plan_that_asked_for_them(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("user@well.com")
    extract_domains(FIRST, users, status)
    plan_batches(at(FIRST, PLANNED), status)
    answer_batch(at(FIRST, ANSWERED), 0, {}, status)

    def registry(_: str) -> RdapReading:
        plan_batches(at(AGAIN, REPLANNED), status)
        return RECORDS["active"]

    corroborate_checks(at(FIRST, ANSWERED), Witnesses(registry, SilentDns()), status)
    [old], [new] = checks(status, PLANNED), checks(status, REPLANNED)
    assert (old["witnessed_at"], new["witnessed_at"]) == (ANSWERED, None)


def test_a_list_that_is_asked_again_is_the_list_of_now(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))
    extract_domains(FIRST, users, status)
    listed = replace(FIRST, scope="list", domains=("odd.com", "late.com"))
    plan_batches(at(listed, PLANNED), status)
    change(status, "update lapsewatch.domain_status set next_check_at = :at", at=NOW + timedelta(days=9))
    plan_batches(at(replace(AGAIN, scope="list", domains=("odd.com",)), REPLANNED), status)
    assert [row["domain"] for row in checks(status, REPLANNED)] == ["odd.com"]


@pytest.mark.parametrize(
    ("changes", "is_warned"),
    [({}, False), ({"client": "domainr"}, True), ({"policy": Policy.PYPI}, True), ({"recheck": True}, False)],
)
def test_a_kept_plan_tells_which_params_come_too_late(
    users: UserDatabase,
    status: Engine,
    add_addresses: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    is_warned: bool,
) -> None:
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))
    extract_domains(FIRST, users, status)
    plan_batches(FIRST, status)
    # What has no answer yet is asked of the new one, and decided by it.
    plan_batches(replace(FIRST, client="domainr", policy=Policy.PYPI), status)
    assert "stay" not in caplog.text
    answer_batch(FIRST, 0, {}, status)
    plan_batches(replace(FIRST, clear_number=1, **changes), status)
    assert (f"{len(DOMAINS)} answers are of another" in caplog.text) is is_warned
    assert [record.levelno for record in caplog.records if "stay" in record.message] == [logging.WARNING] * is_warned


def test_what_came_of_an_earlier_attempt_is_not_told_of_the_next(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    """It fails early, and sums up what it did: nothing."""
    add_addresses("user@well.com")
    for run in (FIRST, AGAIN):
        with stage(status, "first", "extract_domains") as counts:
            counts |= extract_domains(run, users, status)
        with stage(status, "first", "plan_batches") as counts:
            batches, counts["planned_count"] = plan_batches(run, status)
            counts["batch_count"] = len(batches)
        if run is FIRST:
            for name, figures in {
                "corroborate_checks": {"unwitnessed_count": 7},
                "store_domain_status": {"ended_lapse_count": 5},
                "plan_unverifications": {"candidate_count": 3},
                "notify_owners": {"undelivered_count": 2},
            }.items():
                with stage(status, "first", name) as counts:
                    counts |= figures
    summarise_run(AGAIN, status)
    [found] = rows(status, "select * from lapsewatch.run_metrics")
    assert (found["failed_stage"], found["planned_count"], found["host_count"]) == ("check_batch", 1, 1)
    assert (found["unwitnessed_count"], found["ended_lapse_count"]) == (0, 0)
    assert (found["candidate_count"], found["undelivered_count"]) == (None, None)
    assert set(found["stage_seconds"]) == {"extract_domains", "plan_batches"}
