"""A backfill asks once for all its runs, about what its dry run named."""

from dataclasses import replace

import pytest
from lapsewatch.stages.approve_unverifications import Answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, plan_and_unverify, rows
from tests.stages.plan_unverifications.conftest import GENEROUS, STRICT, Lapsed, answer, ask, questions, unverified


def test_a_backfill_asks_once_for_all_its_runs_after_a_dry_run(
    lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str
) -> None:
    dry = lapsed(replace(RUN, dry_run=True), com=6)
    plan_and_unverify(dry, users, status)
    backfill = replace(dry, dry_run=False, is_backfill=True, limits=STRICT)
    days = [
        replace(backfill, run_id=f"day {day}", scope="list", domains=tuple(f"lapsed{n}.com" for n in (day, day + 3)))
        for day in range(3)
    ]
    first = replace(days[0], limits=replace(STRICT, addresses=1))
    assert plan_unverifications(first, users, status)["question_count"] == 1
    question = ask(first, status)
    assert (question.address_count, question.covers) == (6, "dry_runs")
    assert "the question is also about what dry runs have named" in question.in_markdown("x")
    # Meanwhile the second day has its turn: it neither asks nor acts.
    waiting = plan_and_unverify(replace(days[1], limits=replace(STRICT, addresses=1)), users, status)
    assert (waiting["question_count"], waiting["unverified_count"]) == (0, 0)
    answer(first, Answer.APPROVED, status)
    unverify_emails(first, users, status)
    assert len(unverified(user_url)) == 4
    for day in days[1:]:
        plan_and_unverify(replace(day, limits=replace(STRICT, addresses=1)), users, status)
    assert len(unverified(user_url)) == 6
    assert len(questions(status)) == 1


@pytest.mark.parametrize(
    ("said", "left"), [(Answer.REJECTED, 14), (Answer.APPROVED_UNSUSPICIOUS, 12), (Answer.APPROVED, 0)]
)
def test_what_a_person_did_not_approve_in_a_backfill_is_not_asked_about_by_its_next_run(
    asked: Run, users: UserDatabase, status: Engine, said: Answer, left: int
) -> None:
    backfill = replace(asked, is_backfill=True)
    plan_unverifications(backfill, users, status)
    answer(backfill, said, status)
    unverify_emails(backfill, users, status)
    following = replace(backfill, run_id="following")
    counts = plan_and_unverify(following, users, status)
    assert (counts["question_count"], counts["rejected_count"], counts["unverified_count"]) == (0, left, 0)
    if left:
        # A dry run puts it on the table again, and a daily run starts fresh.
        plan_unverifications(replace(asked, run_id="dry", dry_run=True), users, status)
        assert plan_unverifications(following, users, status)["question_count"] == 1
        assert ask(following, status).address_count == left
        answer(following, Answer.REJECTED, status)
        assert plan_unverifications(replace(asked, run_id="daily"), users, status)["question_count"] == 1


def test_a_backfill_is_weighed_as_a_whole_and_so_is_what_is_suspicious(
    lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str
) -> None:
    dry = lapsed(replace(RUN, dry_run=True), dev=12, com=3)
    plan_and_unverify(dry, users, status)
    day = replace(
        dry,
        dry_run=False,
        is_backfill=True,
        scope="list",
        domains=("lapsed0.com", "lapsed0.dev"),
        limits=GENEROUS,
        tld_limits=replace(GENEROUS, addresses=11),
    )
    assert plan_unverifications(day, users, status)["question_count"] == 1
    [question] = questions(status)
    assert (question["address_count"], question["suspicious_count"]) == (15, 12)
    answer(day, Answer.APPROVED_UNSUSPICIOUS, status)
    for number in range(3):
        following = replace(day, run_id=f"day {number}", domains=(f"lapsed{number}.com", f"lapsed{number}.dev"))
        plan_and_unverify(following, users, status)
    assert {domain.rpartition(".")[2] for domain in unverified(user_url)} == {"com"}
    assert len(questions(status)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "update lapsewatch.domain_status set verdict = 'keep' where domain = 'lapsed0.com'",
        "update lapsewatch.domain_status set policy = 'pypi' where domain = 'lapsed0.com'",
        "update lapsewatch.domain_lapse set policy = 'pypi' where domain = 'lapsed0.com'",
        "update lapsewatch.domain_lapse set ended_at = now(), end_reason = 'renewed' where domain = 'lapsed0.com'",
        "update lapsewatch.domain_lapse set pardoned_at = now(), pardoned_why = 'x' where domain = 'lapsed0.com'",
        "insert into lapsewatch.exemption (domain, reason, exempted_by) values ('lapsed0.com', 'ours', 'alice')",
        "update lapsewatch.address_unverification set planned_at = '2026-01-01Z' where domain = 'lapsed0.com'",
        (
            "insert into lapsewatch.address_unverification (address_key, domain, lapsed_at, dry_run, host, run_id,"
            " state, reason, evidence, planned_at) select address_key, domain, lapsed_at, false, host, 'other',"
            " 'unverified', reason, evidence, planned_at from lapsewatch.address_unverification"
            " where domain = 'lapsed0.com'"
        ),
    ],
)
def test_a_backfill_asks_only_about_what_could_still_be_done(
    lapsed: Lapsed, users: UserDatabase, status: Engine, change: str
) -> None:
    dry = lapsed(replace(RUN, dry_run=True), com=4)
    plan_and_unverify(dry, users, status)
    with status.begin() as connection:
        connection.execute(text(change))
    backfill = replace(dry, dry_run=False, is_backfill=True, limits=STRICT, scope="list", domains=("lapsed3.com",))
    plan_unverifications(backfill, users, status)
    asked = rows(status, "select domain from lapsewatch.approval_lapse order by 1")
    assert [row["domain"] for row in asked] == ["lapsed1.com", "lapsed2.com", "lapsed3.com"]
