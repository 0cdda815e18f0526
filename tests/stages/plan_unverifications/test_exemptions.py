"""Who is exempt, and whose domain's lapse is pardoned, is left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lapsewatch.stages.approve_unverifications import Answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import plan_and_unverify
from tests.stages.plan_unverifications.conftest import GENEROUS, Lapsed, answer, exempt, key_of, states, unverified


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
