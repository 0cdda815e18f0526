"""What a run may do by itself: its limits, in all and for each top-level domain, and what they are held against."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS, Limit
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import Check, plan_and_unverify
from tests.stages.plan_unverifications.conftest import (
    GENEROUS,
    STRICT,
    Lapsed,
    past_runs,
    questions,
    states,
    unverified,
)


def test_within_the_limits_nobody_is_asked(lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str) -> None:
    counts = plan_and_unverify(lapsed(com=3), users, status)
    assert (counts["question_count"], counts["exceeded"], counts["candidate_count"]) == (0, [], 3)
    assert len(unverified(user_url)) == 3
    assert questions(status) == []


@pytest.mark.parametrize(
    ("limits", "tld_limits", "exceeded"),
    [
        (STRICT, TLD_LIMITS, [(None, Limit.ADDRESSES)]),
        (RUN_LIMITS, STRICT, [("com", Limit.ADDRESSES)]),
        (replace(RUN_LIMITS, address_share=0.99), replace(TLD_LIMITS, address_share=0.99), []),
    ],
)
def test_above_a_limit_nobody_is_touched_and_a_person_is_asked(
    lapsed: Lapsed,
    users: UserDatabase,
    status: Engine,
    user_url: str,
    limits: object,
    tld_limits: object,
    exceeded: list[tuple[str | None, Limit]],
) -> None:
    run = replace(lapsed(com=3, net=1), limits=limits, tld_limits=tld_limits)
    counts = plan_and_unverify(run, users, status)
    assert [(found["tld"], found["limit"]) for found in counts["exceeded"]] == exceeded
    if not exceeded:
        assert len(unverified(user_url)) == 4
        return
    assert unverify_emails(run, users, status)["unverified_count"] == 0
    assert unverified(user_url) == set()
    assert states(status) == {"awaiting": 4}
    [question] = questions(status)
    assert (question["address_count"], question["domain_count"], question["answer"]) == (4, 4, None)


def test_shares_are_of_verified_addresses_and_of_checked_domains(
    lapsed: Lapsed, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses(*(f"owner@alive{number}.com" for number in range(29)), *("x@alive0.com", "y@alive0.com"))
    run = lapsed(com=8, dev=3)
    run = replace(run, limits=replace(RUN_LIMITS, address_share=0.01, domain_share=0.01))
    found = {
        (limit["tld"], limit["limit"]): limit["found"] for limit in plan_unverifications(run, users, status)["exceeded"]
    }
    assert found == {(None, "address_share"): 11 / 42, (None, "domain_share"): 11 / 40}


def test_a_lapsed_tld_is_held_against_its_own_domains(
    lapsed: Lapsed, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses(*(f"owner@alive{number}.com" for number in range(200)))
    run = replace(lapsed(com=1, dev=11), limits=replace(RUN_LIMITS, address_share=1, domain_share=1))
    counts = plan_unverifications(run, users, status)
    assert {(limit["tld"], limit["limit"]) for limit in counts["exceeded"]} == {
        ("dev", "address_share"),
        ("dev", "domain_share"),
    }
    [question] = questions(status)
    assert (question["address_count"], question["suspicious_count"]) == (12, 11)


@pytest.mark.parametrize(
    ("past", "grew"), [([2] * 7, True), ([3] * 7, False), ([2] * 6, False), ([0, 3, 3] * 3, False)]
)
def test_the_recent_past_is_the_measure_in_all_and_for_each_tld(
    lapsed: Lapsed, users: UserDatabase, status: Engine, past: list[int], grew: bool
) -> None:
    past_runs(status, *past)
    run = replace(lapsed(com=12), limits=GENEROUS, tld_limits=GENEROUS)
    counts = plan_unverifications(run, users, status)
    expected = {(None, "growth"), ("com", "growth")} if grew else set()
    assert {(limit["tld"], limit["limit"]) for limit in counts["exceeded"]} == expected


def test_a_tld_that_never_lapsed_before_is_its_own_measure(lapsed: Lapsed, users: UserDatabase, status: Engine) -> None:
    past_runs(status, *[3] * 7)
    run = replace(lapsed(dev=12), limits=GENEROUS, tld_limits=GENEROUS)
    counts = plan_unverifications(run, users, status)
    assert [(limit["tld"], limit["limit"], limit["found"]) for limit in counts["exceeded"]] == [("dev", "growth", 12.0)]


def test_a_dry_run_warns_shows_all_and_asks_nobody(
    lapsed: Lapsed, users: UserDatabase, status: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    run = replace(lapsed(com=3), dry_run=True, limits=STRICT)
    counts = plan_and_unverify(run, users, status)
    assert (counts["candidate_count"], counts["question_count"], len(counts["exceeded"])) == (3, 0, 1)
    assert "the whole run: 3 addresses, the limit is 2" in caplog.text
    assert states(status) == {"dry_run": 3}


def test_evidence_of_the_day_before_counts_among_the_checked(
    lapsed: Lapsed, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], check: Check
) -> None:
    add_addresses(*(f"owner@alive{number}.com" for number in range(300)))
    lapsed(com=11)
    nothing_due = check({}, run_id="nothing due", limits=replace(GENEROUS, domain_share=0.05), tld_limits=GENEROUS)
    assert plan_unverifications(nothing_due, users, status)["exceeded"] == []
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.domain_status set checked_at = checked_at - interval '3 days'"
                " where domain like 'alive%'"
            )
        )
    [exceeded] = plan_unverifications(nothing_due, users, status)["exceeded"]
    assert (exceeded["limit"], exceeded["found"]) == ("domain_share", 1.0)
