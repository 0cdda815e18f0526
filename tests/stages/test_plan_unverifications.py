"""What a run may do by itself, what it asks a person, and what becomes of the answer."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS, Limit
from lapsewatch.core.errors import RunStopped
from lapsewatch.core.evidence import RdapOutcome, RdapReading
from lapsewatch.stages.approve_unverifications import (
    Answer,
    Question,
    count_planned,
    newest_answer,
    open_question,
    record_answer,
)
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, SILENT_REGISTRY, Check, Row, plan_and_unverify, rows

STRICT = replace(RUN_LIMITS, addresses=2)
TIMEOUT = timedelta(hours=20)

Lapsed = Callable[..., Run]


@pytest.fixture
def lapsed(add_addresses: Callable[..., None], status: Engine, check: Check) -> Lapsed:
    """A run that found so many domains lapsed, each with one address, under each top-level domain."""

    def find(run: Run = RUN, **by_tld: int) -> Run:
        domains = [f"lapsed{number}.{tld}" for tld, count in by_tld.items() for number in range(count)]
        known = {row["domain"] for row in rows(status, "select domain from lapsewatch.domain_status")}
        add_addresses(*(f"owner@{domain}" for domain in domains if domain not in known))
        found = check(dict.fromkeys(domains, "undelegated inactive"), run)
        store_domain_status(found, status)
        return found

    return find


def unverified(user_url: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select email from user_emails where unverify_reason = 'domain status invalid'")
        return {email.removeprefix("owner@") for (email,) in found.fetchall()}


def states(status: Engine) -> dict[str, int]:
    query = "select state, count(*) as number from lapsewatch.address_unverification group by 1"
    return {row["state"]: row["number"] for row in rows(status, query)}


def questions(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.unverification_approval order by asked_at")


def ask(run: Run, status: Engine) -> Question:
    return open_question(run.run_id, status, now=run.clock(), timeout=TIMEOUT)


def answer(run: Run, said: Answer, status: Engine, by: str | None = "alice") -> bool:
    """Answer the run's question as it is shown, if it is open."""
    if newest_answer(run.run_id, status) is None:
        ask(run, status)
    return record_answer(run.run_id, said, by, status, now=run.clock())


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


def past_runs(status: Engine, *unverified_counts: int) -> None:
    """Real runs of the days before, which unverified so many addresses under .com each."""
    with status.begin() as connection:
        for number, count in enumerate(unverified_counts, start=1):
            values = {"run_id": f"past {number}", "as_of": RUN.as_of - timedelta(days=number), "count": count}
            connection.execute(
                text(
                    "insert into lapsewatch.run_metrics (run_id, as_of, state, finished_at, stage_seconds, provider,"
                    " dry_run, set_aside, planned_count, checked_count, no_evidence_count, no_evidence,"
                    " quarantined_count, phases, newly_lapsed_count, lapsed_domain_count, unverified_count,"
                    " api_call_count) values (:run_id, :as_of, 'success', :as_of, '{}', 'fastly', false, '{}', 0, 0, 0,"
                    " '{}', 0, '{}', 0, 0, :count, 0)"
                ),
                values,
            )
            connection.execute(
                text(
                    "with known as (insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at)"
                    " select 'past' || :run_id || number || '.com', :as_of, :as_of + interval '1 year'"
                    " from generate_series(1, :count) as number returning domain),"
                    " lapse as (insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason,"
                    " witnesses, evidence, policy, run_id) select domain, :as_of, :as_of, 'observed', 'released',"
                    " 'gone', '{flags}', '{}', 'corroborated', :run_id from known returning domain)"
                    " insert into lapsewatch.address_unverification (address_key, domain, lapsed_at, dry_run, host,"
                    " run_id, state, reason, evidence, planned_at) select domain, domain, :as_of, false, domain,"
                    " :run_id, 'unverified', 'gone', '{}', :as_of from lapse"
                ),
                values,
            )


GENEROUS = replace(RUN_LIMITS, addresses=1000, address_share=1, domain_share=1)


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


@pytest.fixture
def asked(lapsed: Lapsed, users: UserDatabase, status: Engine) -> Run:
    """A run above its limits: 12 domains under .dev, which is suspicious, and two under .com."""
    run = replace(
        lapsed(dev=12, com=2),
        limits=GENEROUS,
        tld_limits=replace(TLD_LIMITS, addresses=11, address_share=1, domain_share=1),
    )
    assert plan_unverifications(run, users, status)["question_count"] == 1
    return run


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


@pytest.mark.parametrize(
    ("said", "expected", "left"),
    [
        (Answer.APPROVED, {"com", "dev"}, {"unverified": 14}),
        (Answer.APPROVED_UNSUSPICIOUS, {"com"}, {"unverified": 2, "rejected": 12}),
        (Answer.REJECTED, set(), {"rejected": 14}),
    ],
)
def test_the_answer_is_recorded_and_kept_to(
    asked: Run,
    users: UserDatabase,
    status: Engine,
    user_url: str,
    said: Answer,
    expected: set[str],
    left: dict[str, int],
) -> None:
    assert answer(asked, said, status)
    unverify_emails(asked, users, status)
    assert {domain.rpartition(".")[2] for domain in unverified(user_url)} == expected
    assert states(status) == left
    [question] = questions(status)
    assert (question["answer"], question["answered_by"]) == (said.value, "alice")
    assert question["answered_at"] is not None


def test_an_answer_counts_once(asked: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    assert answer(asked, Answer.REJECTED, status)
    assert not answer(asked, Answer.APPROVED, status, by="mallory")
    unverify_emails(asked, users, status)
    assert unverified(user_url) == set()
    assert [row["answered_by"] for row in questions(status)] == ["alice"]
    assert newest_answer(asked.run_id, status) is Answer.REJECTED
    with pytest.raises(RunStopped, match="closed meanwhile"):
        ask(asked, status)


def test_a_run_without_a_question_says_how_to_get_one(status: Engine) -> None:
    with pytest.raises(RunStopped, match="clear 'plan_unverifications'"):
        newest_answer("unknown", status)


def test_an_answer_is_to_the_question_that_was_shown(
    asked: Run, lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str
) -> None:
    ask(asked, status)
    more = replace(asked, limits=STRICT)
    plan_unverifications(more, users, status)
    assert not record_answer(asked.run_id, Answer.APPROVED, "alice", status, now=asked.clock())
    unverify_emails(asked, users, status)
    assert unverified(user_url) == set()


def test_an_answer_that_comes_too_late_is_none(asked: Run, status: Engine) -> None:
    ask(asked, status)
    later = asked.clock() + timedelta(hours=22)
    assert not record_answer(asked.run_id, Answer.APPROVED, "alice", status, now=later)


def test_a_run_that_became_a_dry_run_carries_out_nothing(
    lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str
) -> None:
    run = lapsed(com=3)
    plan_unverifications(run, users, status)
    assert states(status) == {"planned": 3}
    dry = replace(run, dry_run=True)
    assert unverify_emails(dry, users, status)["unverified_count"] == 0
    plan_and_unverify(dry, users, status)
    assert unverified(user_url) == set()
    assert states(status) == {"rejected": 3, "dry_run": 3}


def test_what_was_approved_before_is_not_lost_when_the_rest_is_rejected(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    answer(asked, Answer.APPROVED_UNSUSPICIOUS, status)
    again = replace(asked, run_id="again")
    assert plan_unverifications(again, users, status)["question_count"] == 1
    answer(again, Answer.REJECTED, status)
    assert count_planned("again", status) == 2
    unverify_emails(again, users, status)
    assert len(unverified(user_url)) == 2


def test_the_last_word_on_a_lapse_counts(asked: Run, users: UserDatabase, status: Engine) -> None:
    answer(asked, Answer.APPROVED, status)
    with status.begin() as connection:
        connection.execute(
            text(
                "with later as (insert into lapsewatch.unverification_approval (run_id, asked_at, expires_at, covers,"
                " exceeded, address_count, domain_count, suspicious_count, answer, answered_at)"
                " values ('later', now(), now(), 'run', '[]', 1, 1, 0, 'rejected', now() + interval '1 minute')"
                " returning run_id, asked_at)"
                " insert into lapsewatch.approval_lapse (run_id, asked_at, domain, lapsed_at, address_count)"
                " select later.run_id, later.asked_at, domain, lapsed_at, 1 from later, lapsewatch.domain_lapse"
                " where domain = 'lapsed0.com'"
            )
        )
    assert plan_unverifications(replace(asked, run_id="next"), users, status)["approved_count"] == 13


def test_intents_that_nobody_renews_are_given_up_with_their_evidence(
    lapsed: Lapsed, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    run = lapsed(com=2)
    plan_unverifications(run, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails where email = 'owner@lapsed0.com'")
    later = replace(run, run_id="later", clock=lambda: datetime.now(UTC) + timedelta(hours=49))
    plan_unverifications(later, users, status)
    assert states(status) == {"rejected": 2}


def test_after_a_rejection_the_next_run_starts_fresh(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    answer(asked, Answer.REJECTED, status)
    tomorrow = replace(asked, run_id="tomorrow")
    assert plan_unverifications(tomorrow, users, status)["question_count"] == 1
    assert states(status) == {"awaiting": 14}
    answer(tomorrow, Answer.APPROVED, status)
    unverify_emails(tomorrow, users, status)
    assert len(unverified(user_url)) == 14


def test_silence_is_a_rejection_also_where_the_run_is_gone(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    later = replace(asked, run_id="later", clock=lambda: datetime.now(UTC) + timedelta(hours=23))
    assert plan_unverifications(later, users, status)["question_count"] == 1
    first, second = questions(status)
    assert (first["answer"], first["answered_by"], first["answered_at"]) == ("rejected", None, first["expires_at"])
    assert second["answer"] is None
    assert not answer(asked, Answer.APPROVED, status)
    unverify_emails(asked, users, status)
    assert unverified(user_url) == set()


def test_what_a_person_is_being_asked_about_no_other_run_touches_or_asks_again(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    other = replace(asked, run_id="other", tld_limits=GENEROUS)
    counts = plan_and_unverify(other, users, status)
    assert (counts["question_count"], counts["unverified_count"]) == (0, 0)
    assert unverified(user_url) == set()
    assert len(questions(status)) == 1
    answer(asked, Answer.APPROVED, status)
    unverify_emails(asked, users, status)
    assert len(unverified(user_url)) == 14
    assert {row["run_id"] for row in rows(status, "select run_id from lapsewatch.address_unverification")} == {"first"}


def test_a_repetition_of_the_same_run_asks_anew(asked: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    plan_unverifications(asked, users, status)
    assert [row["answer"] for row in questions(status)] == [None]
    assert plan_and_unverify(replace(asked, tld_limits=GENEROUS), users, status)["unverified_count"] == 14
    assert questions(status) == []


def test_what_was_approved_is_not_asked_again(asked: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    answer(asked, Answer.APPROVED_UNSUSPICIOUS, status)
    again = replace(asked, run_id="again", limits=replace(GENEROUS, addresses=11))
    counts = plan_unverifications(again, users, status)
    assert (counts["approved_count"], counts["question_count"]) == (2, 1)
    assert {(limit["tld"], limit["found"]) for limit in counts["exceeded"]} == {(None, 12.0), ("dev", 12.0)}
    assert questions(status)[-1]["address_count"] == 12


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


def exempt(status: Engine, **values: object) -> None:
    names = ", ".join(values)
    with status.begin() as connection:
        connection.execute(
            text(
                f"insert into lapsewatch.exemption (reason, exempted_by, {names})"
                f" values ('known to us', 'alice', {', '.join(f':{name}' for name in values)})"
            ),
            values,
        )


def key_of(user_url: str, domain: str) -> str:
    with psycopg.connect(user_url) as connection:
        row = connection.execute("select id::text from user_emails where email = %s", [f"owner@{domain}"]).fetchone()
    assert row
    return str(row[0])


def test_who_is_exempt_is_left_alone_and_counted(
    lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str
) -> None:
    run = lapsed(com=4)
    exempt(status, domain="lapsed0.com")
    exempt(status, address_key=key_of(user_url, "lapsed1.com"))
    exempt(status, domain="lapsed2.com", expires_at=datetime.now(UTC) - timedelta(days=1))
    counts = plan_and_unverify(run, users, status)
    assert (counts["exempt_count"], counts["candidate_count"]) == (2, 2)
    assert unverified(user_url) == {"lapsed2.com", "lapsed3.com"}


def test_an_exemption_counts_until_the_last_moment_and_its_end_is_the_end(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    answer(asked, Answer.APPROVED, status)
    exempt(status, domain="lapsed0.com")
    unverify_emails(asked, users, status)
    assert "lapsed0.com" not in unverified(user_url)
    plan_unverifications(replace(asked, run_id="next"), users, status)
    assert states(status) == {"unverified": 13, "rejected": 1}
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.exemption set expires_at = now()"))
    plan_and_unverify(replace(asked, run_id="after"), users, status)
    assert "lapsed0.com" in unverified(user_url)


def test_for_a_pardoned_lapse_nobody_is_unverified(
    asked: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    answer(asked, Answer.APPROVED, status)
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.domain_lapse set pardoned_at = now(), pardoned_by = 'alice',"
                " pardoned_why = 'mistake' where domain = 'lapsed1.com'"
            )
        )
    unverify_emails(asked, users, status)
    plan_and_unverify(replace(asked, run_id="next", tld_limits=GENEROUS), users, status)
    assert len(unverified(user_url)) == 13
    assert states(status) == {"unverified": 13, "skipped": 1}


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


def test_two_runs_at_once_do_not_both_act(lapsed: Lapsed, users: UserDatabase, status: Engine, user_url: str) -> None:
    run = replace(lapsed(com=30), limits=GENEROUS, tld_limits=GENEROUS)
    counted: list[int] = []

    def work(run_id: str) -> None:
        counts = plan_and_unverify(replace(run, run_id=run_id), users, status)
        counted.append(int(str(counts["unverified_count"])))

    workers = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counted) == len(unverified(user_url)) == 30
    assert states(status) == {"unverified": 30}
