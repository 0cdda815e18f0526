"""What a person is asked, and shown to answer by."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.core.evidence import RdapOutcome, RdapReading
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import RUN, SILENT_REGISTRY, Check, plan_and_unverify, rows
from tests.stages.plan_unverifications.conftest import GENEROUS, STRICT, Lapsed, ask, questions


def test_the_question_says_all_that_a_person_has_to_see(asked: Run, status: Engine) -> None:
    question = ask(asked, status)
    assert question.subject == "Unverify 14 addresses on 14 domains?"
    told = question.in_markdown("https://airflow.example/list")
    assert "**14** addresses on **14** domains" in told
    assert "**100.0%** of the verified addresses" in told
    assert "- .dev: 12 addresses, the limit is 11" in told
    assert "- .dev: 12 addresses on 12 domains, 12 suspicious" in told
    assert "- .com: 2 addresses on 2 domains\n" in told
    assert told.count("- `lapsed") == 14
    assert "not registered" in told
    assert "(https://airflow.example/list)" in told
    assert "12 of the addresses are suspicious" in told
    assert "@" not in told


def test_twenty_examples_are_shown_of_both_kinds(lapsed: Lapsed, users: UserDatabase, status: Engine) -> None:
    run = replace(lapsed(dev=40, com=30), limits=STRICT, tld_limits=replace(GENEROUS, addresses=35))
    plan_unverifications(run, users, status)
    examples = ask(run, status).examples
    assert [sum(row.suspicion is None for row in examples), len(examples)] == [10, 20]


def test_a_run_by_itself_asks_about_its_own_candidates_only(
    lapsed: Lapsed, users: UserDatabase, status: Engine
) -> None:
    dry = lapsed(replace(RUN, dry_run=True), com=6)
    plan_and_unverify(dry, users, status)
    run = replace(
        dry, dry_run=False, limits=STRICT, scope="list", domains=("lapsed0.com", "lapsed1.com", "lapsed2.com")
    )
    plan_unverifications(run, users, status)
    assert [(row["address_count"], row["covers"]) for row in questions(status)] == [(3, "run")]


def test_a_lapse_that_nobody_but_the_api_saw_is_suspicious(
    add_addresses: Callable[..., None], users: UserDatabase, status: Engine, check: Check
) -> None:
    add_addresses("owner@alone.com", "owner@seen.com")
    told = {"alone.com": "inactive", "seen.com": "inactive"}
    records = {"alone.com": SILENT_REGISTRY, "seen.com": RdapReading(RdapOutcome.NOT_FOUND)}
    for day in (0, 1):
        clock = datetime.now(UTC) + timedelta(days=day, minutes=day)
        run = check(told, run_id=f"day {day}", scope="all", records=records, clock=lambda now=clock: now)
        store_domain_status(run, status)
    plan_unverifications(replace(run, limits=replace(RUN_LIMITS, addresses=1)), users, status)
    suspicions = {
        row["domain"]: row["suspicion"]
        for row in rows(status, "select domain, suspicion from lapsewatch.approval_lapse")
    }
    assert suspicions == {"alone.com": "neither the registry nor DNS has confirmed it", "seen.com": None}
