"""What becomes of a person's answer, and of silence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.core.errors import RunStopped
from lapsewatch.stages.approve_unverifications import Answer, count_planned, newest_answer, record_answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.plan_unverifications.conftest import (
    GENEROUS,
    STRICT,
    Lapsed,
    answer,
    ask,
    questions,
    states,
    unverified,
)


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


def test_what_was_approved_is_not_asked_again(asked: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    answer(asked, Answer.APPROVED_UNSUSPICIOUS, status)
    again = replace(asked, run_id="again", limits=replace(GENEROUS, addresses=11))
    counts = plan_unverifications(again, users, status)
    assert (counts["approved_count"], counts["question_count"]) == (2, 1)
    assert {(limit["tld"], limit["found"]) for limit in counts["exceeded"]} == {(None, 12.0), ("dev", 12.0)}
    assert questions(status)[-1]["address_count"] == 12
