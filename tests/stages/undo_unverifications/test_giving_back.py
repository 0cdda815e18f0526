"""What was taken away is given back, and a dry run says so beforehand."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.stages import intents
from lapsewatch.stages.approve_unverifications import Answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import NothingToUndo, Selection
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import Check, plan_and_unverify, rows
from tests.stages.plan_unverifications.conftest import answer
from tests.stages.undo_unverifications.conftest import (
    EXPIRING,
    GONE,
    LAPSED,
    THE_RUN,
    Trusted,
    execute,
    next_run,
    pardoned,
    states,
    undo,
    unverifications,
)


@pytest.mark.usefixtures("run")
def test_what_a_run_took_away_is_given_back(users: UserDatabase, status: Engine, trusted: Trusted) -> None:
    assert trusted() == {"e@alive.com"}
    undone = undo(users, status)
    assert trusted() == {*LAPSED, *GONE, "e@alive.com"}
    assert undone.given_back == {"lapsed.com": 3, "gone.org": 1}
    assert not undone.left_alone
    assert undone.pardoned_lapse_count == 2
    for row in unverifications(status):
        assert (row["state"], row["undone_by"], row["undone_why"]) == ("undone", "carol", "an outage")
        assert row["is_dated"]
    assert pardoned(status) == dict.fromkeys(["lapsed.com", "gone.org"], ("carol", "an outage"))


@pytest.mark.usefixtures("run")
def test_an_address_that_is_given_back_looks_as_if_verified_again(
    users: UserDatabase, status: Engine, user_url: str
) -> None:
    undo(users, status)
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select distinct verified, unverify_reason from user_emails").fetchall()
    assert found == [(True, None)]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("selection", [THE_RUN, Selection(domain="lapsed.com"), Selection(address_key="1")])
def test_a_dry_run_changes_nothing_and_says_what_would_happen(
    selection: Selection, users: UserDatabase, status: Engine, user_url: str, trusted: Trusted
) -> None:
    execute(user_url, "update user_emails set verified = true, unverify_reason = null where email = 'b@lapsed.com'")
    before = (trusted(), unverifications(status), pardoned(status))
    would = undo(users, status, selection, dry_run=True)
    assert (trusted(), unverifications(status), pardoned(status)) == before
    assert undo(users, status, selection) == would
    assert would.given_back


def test_an_address_that_two_lapses_took_is_one(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING)
    store_domain_status(run, status)
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason, witnesses,"
                " evidence, policy, run_id) select domain, lapsed_at - interval '1 day', began_at, kind, phase, reason,"
                " witnesses, evidence, policy, run_id from lapsewatch.domain_lapse"
            )
        )
    plan_and_unverify(run, users, status)
    assert states(status) == ["unverified"] * 6
    # The two rows of an address in transactions of their own.
    monkeypatch.setattr(intents, "ADDRESSES_PER_TRANSACTION", 1)
    undone = undo(users, status)
    assert not undone.left_alone
    assert states(status) == ["undone"] * 6
    assert trusted() == set(LAPSED)
    assert undone.given_back == {"lapsed.com": 3}


def test_a_dry_run_of_the_dag_has_taken_nothing_away(
    add_addresses: Callable[..., None], users: UserDatabase, status: Engine, check: Check
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING, dry_run=True)
    store_domain_status(run, status)
    plan_and_unverify(run, users, status)
    with pytest.raises(NothingToUndo):
        undo(users, status)


@pytest.mark.parametrize("addresses", [0, 100])
def test_an_address_whose_turn_has_not_come_keeps_its_verification(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    addresses: int,
) -> None:
    add_addresses(*LAPSED)
    run = replace(check(EXPIRING), limits=replace(RUN_LIMITS, addresses=addresses))
    store_domain_status(run, status)
    plan_unverifications(run, users, status)
    before = unverifications(status)
    assert {row["state"] for row in before} == {"planned" if addresses else "awaiting"}
    one = Selection(address_key="2")
    would = undo(users, status, one, dry_run=True)
    assert (would.given_back, would.given_up) == ({}, {"lapsed.com": 1})
    assert unverifications(status) == before
    assert undo(users, status, one) == would
    if not addresses:
        assert answer(run, Answer.APPROVED, status)
    unverify_emails(run, users, status)
    assert trusted() == {"b@lapsed.com"}
    assert states(status) == ["unverified", "skipped", "unverified"]
    next_run(check, users, status)
    assert trusted() == {"b@lapsed.com"}
    with pytest.raises(NothingToUndo):
        undo(users, status, one)


@pytest.mark.usefixtures("run")
def test_an_unsent_notification_is_withdrawn(users: UserDatabase, status: Engine, user_url: str) -> None:
    execute(user_url, "delete from user_emails where id = 3")
    with status.begin() as connection:
        connection.execute(
            text(
                """
                insert into lapsewatch.notification
                    (kind, event_key, account_key, domain, payload, subject, body, run_id, created_at, sent_at)
                select kind, lapsewatch.event_key(address_key, domain, lapsed_at), address_key, domain, '{}', '', '',
                       run_id, now(), case when address_key = '2' then now() end
                from lapsewatch.address_unverification
                cross join (values ('address_unverified'), ('domain_expiring')) as kinds (kind)
                """
            )
        )
    undo(users, status)
    withdrawn = rows(
        status, "select kind, account_key from lapsewatch.notification where withdrawn_at is not null order by 2"
    )
    assert withdrawn == [{"kind": "address_unverified", "account_key": key} for key in ("1", "4")]
