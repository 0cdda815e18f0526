from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.core.errors import RunStopped
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.stages.approve_unverifications import Answer, open_question, record_answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import STAGES
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.stages.validate_checks import validate_checks
from lapsewatch.status_database.journal import stage
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import RUN, Check, Row, forget_answer, plan_and_unverify, rows


@pytest.fixture(autouse=True)
def population(add_addresses: Callable[..., None]) -> None:
    add_addresses("a@lapsed.com", "b@lapsed.com", "c@alive.com", "d@silent.com", "e@gmail.com", "user@localhost")


def metrics(status: Engine) -> Row:
    [row] = rows(status, "select * from lapsewatch.run_metrics")
    return row


TOLD = {"lapsed.com": "inactive", "silent.com": NoEvidenceReason.TIMEOUT}


def test_a_whole_run_is_counted(status: Engine, users: UserDatabase, check: Check) -> None:
    run = check(TOLD)
    for name in ("check_batch", "corroborate_checks"):
        with stage(status, run.run_id, name, 0 if name == "check_batch" else -1) as counts:
            counts |= {"unwitnessed_count": 7}
    for name, do in {
        "validate_checks": lambda: validate_checks(run, status),
        "store_domain_status": lambda: store_domain_status(run, status),
        "plan_unverifications": lambda: plan_unverifications(run, users, status),
        "unverify_emails": lambda: unverify_emails(run, users, status),
        "extract_accounts": lambda: {"account_at_risk_count": 2},
        "notify_owners": lambda: {"notification_count": {"address_unverified": 2}, "undelivered_count": 1},
    }.items():
        with stage(status, run.run_id, name) as counts:
            counts |= do()
    told = summarise_run(run, status)
    found = metrics(status)
    assert (
        found
        | {
            "state": "success",
            "failed_stage": None,
            "exceeded": [],
            "approval": None,
            "exempt_count": 0,
            "awaiting_count": 0,
            "rejected_count": 0,
            "notification_count": {"address_unverified": 2},
            "undelivered_count": 1,
            "address_count": 6,
            "provider_address_count": 1,
            "set_aside_count": 1,
            "set_aside": {"no_public_suffix": 1},
            "host_count": 3,
            "domain_count": 3,
            "new_domain_count": 3,
            "planned_count": 3,
            "checked_count": 2,
            "no_evidence_count": 1,
            "no_evidence": {"timeout": 1},
            "quarantined_count": 0,
            "phases": {"released": 1, "active": 1},
            "newly_lapsed_count": 1,
            "lapsed_domain_count": 1,
            "candidate_count": 2,
            "unverified_count": 2,
            "api_call_count": 3,
            "rdap_call_count": 3,
            "dns_call_count": 1,
            "unwitnessed_count": 7,
            "ended_lapse_count": 0,
            "policy": "corroborated",
            "dry_run": False,
            "provider": "fastly",
        }
        == found
    )
    assert set(found["stage_seconds"]) == {*STAGES} - {"summarise_run"}
    assert told["state"] == "success"


def test_an_old_lapse_is_not_a_new_one_and_one_without_addresses_is_none(
    status: Engine, users: UserDatabase, check: Check
) -> None:
    first = check(TOLD)
    store_domain_status(first, status)
    again = check(TOLD, run_id="again", scope="all")
    store_domain_status(again, status)
    summarise_run(again, status)
    assert (metrics(status)["newly_lapsed_count"], metrics(status)["lapsed_domain_count"]) == (0, 1)
    plan_and_unverify(again, users, status)
    check(TOLD, run_id="again")
    summarise_run(again, status)
    assert metrics(status)["lapsed_domain_count"] == 0


def test_run_again_it_keeps_one_row(status: Engine, check: Check) -> None:
    run = check(TOLD)
    summarise_run(run, status)
    first = metrics(status)
    summarise_run(run, status)
    assert metrics(status) | {"finished_at": None} == first | {"finished_at": None}


def test_a_failed_stage_is_named_with_its_trouble(status: Engine, check: Check) -> None:
    run = check({})
    with pytest.raises(RunStopped), stage(status, run.run_id, "check_batch", 0):
        raise RunStopped("the reason")
    summarise_run(run, status)
    found = metrics(status)
    assert (found["state"], found["failed_stage"], found["error"]) == ("failed", "check_batch", "the reason")


def test_a_foreign_error_is_journaled_by_its_type_alone(status: Engine) -> None:
    with pytest.raises(ValueError, match="secret"), stage(status, "first", "extract_domains"):
        raise ValueError("secret@example.com")
    assert rows(status, "select error from lapsewatch.run_stage") == [{"error": "ValueError"}]


@pytest.mark.parametrize(
    ("said", "state"), [(None, "failed"), (Answer.REJECTED, "success"), (Answer.APPROVED, "failed")]
)
def test_a_rejected_run_is_no_failure_although_nobody_was_unverified(
    status: Engine, users: UserDatabase, check: Check, said: Answer | None, state: str
) -> None:
    run = replace(check(TOLD), limits=replace(RUN_LIMITS, addresses=1))
    store_domain_status(run, status)
    for name in STAGES[:-1]:
        if name not in {"extract_domains", "plan_batches", "unverify_emails"}:
            with stage(status, run.run_id, name, 0 if name == "check_batch" else -1) as counts:
                counts |= plan_unverifications(run, users, status) if name == "plan_unverifications" else {}
    if said:
        open_question(run.run_id, status, now=run.clock(), timeout=timedelta(hours=20))
        record_answer(run.run_id, said, "alice", status, now=run.clock())
    summarise_run(run, status)
    found = metrics(status)
    assert (found["state"], found["failed_stage"]) == (state, None if state == "success" else "unverify_emails")
    assert found["approval"] == (said.value if said else "open")
    assert [limit["limit"] for limit in found["exceeded"]] == ["addresses"]
    assert (found["awaiting_count"], found["rejected_count"]) == (0 if said else 2, 2 if said is Answer.REJECTED else 0)


def test_a_run_that_is_repeated_does_not_live_on_its_earlier_rejection(
    status: Engine, users: UserDatabase, check: Check
) -> None:
    run = replace(check(TOLD), limits=replace(RUN_LIMITS, addresses=1))
    store_domain_status(run, status)
    plan_unverifications(run, users, status)
    open_question(run.run_id, status, now=run.clock(), timeout=timedelta(hours=20))
    record_answer(run.run_id, Answer.REJECTED, "alice", status, now=run.clock())
    again = replace(run, limits=RUN_LIMITS)
    for name in STAGES[:-1]:
        if name not in {"extract_domains", "plan_batches", "unverify_emails"}:
            with stage(status, run.run_id, name, 0 if name == "check_batch" else -1) as counts:
                counts |= plan_unverifications(again, users, status) if name == "plan_unverifications" else {}
    summarise_run(again, status)
    found = metrics(status)
    assert (found["state"], found["failed_stage"], found["approval"]) == ("failed", "unverify_emails", None)


def test_a_stage_that_never_began_is_a_failure(status: Engine, check: Check) -> None:
    summarise_run(check({}), status)
    assert metrics(status)["failed_stage"] == "check_batch"


def test_a_killed_stage_is_a_failure(status: Engine, check: Check) -> None:
    run = check({})
    journal = stage(status, run.run_id, "check_batch", 0)
    journal.__enter__()
    summarise_run(run, status)
    assert metrics(status)["failed_stage"] == "check_batch"


def test_a_run_of_which_nothing_is_known_is_summed_up_as_failed(status: Engine) -> None:
    summarise_run(RUN, status)
    assert metrics(status)["failed_stage"] == "extract_domains"
    assert metrics(status)["address_count"] is None


def test_what_was_not_asked_about_is_no_silence(status: Engine, check: Check) -> None:
    """A spent budget leaves rows open: they are told apart from what was asked in vain."""
    run = check(TOLD)
    forget_answer(status, run.run_id, "alive.com")
    summarise_run(run, status)
    found = metrics(status)
    assert (found["planned_count"], found["checked_count"], found["no_evidence_count"]) == (3, 1, 1)
    assert found["no_evidence"] == {"timeout": 1, "unasked": 1}
