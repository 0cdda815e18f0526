from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

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
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, Check, Row, forget_answer, plan_and_unverify, rows


@pytest.fixture(autouse=True)
def population(add_addresses: Callable[..., None]) -> None:
    add_addresses("a@lapsed.com", "b@lapsed.com", "c@alive.com", "d@silent.com", "e@gmail.com", "user@localhost")


def metrics(status: Engine) -> Row:
    [row] = rows(status, "select * from lapsewatch.run_metrics")
    return row


def change(status: Engine, query: str, **values: Any) -> None:
    with status.begin() as connection:
        connection.execute(text(query), values)


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
            "in_use_count": 3,
            "fresh_count": 2,
            "never_checked_count": 1,
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


def phases(status: Engine, run_id: str = "first") -> dict[str, tuple[int, ...]]:
    """Domains, addresses, domains that came, domains that left, by phase."""
    found = rows(status, "select * from lapsewatch.run_phase where run_id = :run_id order by phase", run_id=run_id)
    names = ("domain_count", "address_count", "entered_count", "left_count")
    return {row["phase"]: tuple(row[name] for name in names) for row in found}


def test_the_state_of_all_domains_in_use_is_counted_with_whom_the_run_has_moved(status: Engine, check: Check) -> None:
    run = check(TOLD)
    with stage(status, run.run_id, "store_domain_status"):
        store_domain_status(run, status)
    summarise_run(run, status)
    assert phases(status) == {"active": (1, 1, 1, 0), "released": (1, 2, 1, 0), "unknown": (1, 1, 0, 2)}
    again = check({"silent.com": "expiring", "alive.com": "inactive"}, run_id="again")
    quarantine = (
        "update lapsewatch.domain_check set quarantine_reason = 'odd' where run_id = 'again' and domain = 'alive.com'"
    )
    change(status, quarantine)
    with stage(status, again.run_id, "store_domain_status"):
        store_domain_status(again, status)
    summarise_run(again, status)
    # What lapsed before looks active again, but nobody says by whom; it has come to be so by this run.
    assert phases(status, "again") == {
        "active": (2, 3, 1, 0),
        "redemption": (1, 1, 1, 0),
        "released": (0, 0, 0, 1),
        "unknown": (0, 0, 0, 1),
    }


def test_whom_an_earlier_plan_of_the_run_has_moved_is_history(status: Engine, check: Check) -> None:
    run = check(TOLD)
    earlier = "planned_at - interval '1 minute'"
    change(status, f"select lapsewatch.create_domain_check_partition({earlier}) from lapsewatch.run_plan")
    change(
        status,
        f"""
        insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider, outcome, phase)
        select run_id, domain, {earlier}, batch, provider, 'evidence', 'held' from lapsewatch.domain_check
        """,
    )
    with stage(status, run.run_id, "store_domain_status"):
        store_domain_status(run, status)
    summarise_run(run, status)
    assert phases(status) == {"active": (1, 1, 1, 0), "released": (1, 2, 1, 0), "unknown": (1, 1, 0, 2)}


def test_what_is_not_stored_has_moved_nobody(status: Engine, check: Check) -> None:
    run = check(TOLD)
    with pytest.raises(RunStopped), stage(status, run.run_id, "store_domain_status"):
        raise RunStopped("suspicious")
    summarise_run(run, status)
    assert phases(status) == {"unknown": (3, 4, 0, 0)}
    assert metrics(status)["oldest_checked_at"] is None


def test_summed_up_again_only_the_present_state_is_kept(status: Engine, check: Check) -> None:
    run = check(TOLD)
    summarise_run(run, status)
    change(
        status,
        "update lapsewatch.domain_status set phase = 'held', address_count = 5 * cast(domain <> 'alive.com' as int)",
    )
    summarise_run(run, status)
    assert phases(status) == {"held": (2, 10, 0, 0)}


def test_evidence_of_the_30_days_before_is_fresh_and_only_what_is_in_use_counts(status: Engine, check: Check) -> None:
    run = check(TOLD)
    change(
        status,
        """
        insert into lapsewatch.domain_status (domain, address_count, first_seen_at, next_check_at, checked_at)
        select name, address_count, '2026-01-01Z', '2026-01-01Z', cast(:now as timestamptz) - age
        from (
            values ('fresh.org', 1, interval '719 hours'), ('stale.org', 1, interval '721 hours'),
                   ('unused.org', 0, interval '1 hour'), ('older.org', 0, interval '9000 hours')
        ) as given (name, address_count, age)
        """,
        now=run.clock(),
    )
    summarise_run(run, status)
    found = metrics(status)
    assert (found["in_use_count"], found["fresh_count"], found["never_checked_count"]) == (5, 1, 3)
    assert run.clock() - found["oldest_checked_at"] >= timedelta(hours=721)


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
    assert (metrics(status)["in_use_count"], phases(status)) == (0, {})


def test_what_was_not_asked_about_is_no_silence(status: Engine, check: Check) -> None:
    """A spent budget leaves rows open: they are told apart from what was asked in vain."""
    run = check(TOLD)
    forget_answer(status, run.run_id, "alive.com")
    summarise_run(run, status)
    found = metrics(status)
    assert (found["planned_count"], found["checked_count"], found["no_evidence_count"]) == (3, 1, 1)
    assert found["no_evidence"] == {"timeout": 1, "unasked": 1}
