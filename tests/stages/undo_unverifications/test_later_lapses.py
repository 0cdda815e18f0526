"""An undo pardons the lapse that it is about, and no later one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection
from lapsewatch.user_databases.database import Standing, UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import AS_OF, Check, plan_and_unverify, rows
from tests.stages.test_unverify_emails import Killed
from tests.stages.undo_unverifications.conftest import EXPIRING, GONE, LAPSED, Trusted, next_run, states, undo


def test_the_same_lapse_takes_nobody_again(
    run: Run, users: UserDatabase, status: Engine, trusted: Trusted, check: Check, add_addresses: Callable[..., None]
) -> None:
    undo(users, status)
    add_addresses("late@lapsed.com")
    plan_and_unverify(run, users, status)
    next_run(check, users, status)
    assert trusted() == {*LAPSED, *GONE, "e@alive.com", "late@lapsed.com"}


@pytest.mark.usefixtures("run")
def test_a_later_lapse_takes_them_again_and_is_not_undone_with_the_first_run(
    users: UserDatabase, status: Engine, trusted: Trusted, check: Check
) -> None:
    undo(users, status)
    renewed = check({}, run_id="renewed", as_of=AS_OF + timedelta(days=1), scope="all")
    store_domain_status(renewed, status)
    plan_and_unverify(renewed, users, status)
    next_run(check, users, status, "later", days=2)
    assert trusted() == {"e@alive.com"}
    again = undo(users, status)
    assert (again.given_back.total(), again.given_back_before, again.pardoned_lapse_count) == (0, 4, 0)
    assert trusted() == {"e@alive.com"}
    assert undo(users, status, Selection(run_id="later")).given_back.total() == 4
    assert trusted() == {*LAPSED, *GONE, "e@alive.com"}


def test_an_undo_that_died_is_not_forgotten_where_a_later_lapse_has_taken_the_address_since(
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
    plan_and_unverify(run, users, status)
    reverify = users.reverify

    def dies_after(addresses: list[object]) -> set[str]:
        reverify(addresses)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(users, "reverify", dies_after)
        with pytest.raises(Killed):
            undo(users, status)
    renewed = check({}, run_id="renewed", as_of=AS_OF + timedelta(days=1), scope="all")
    store_domain_status(renewed, status)
    next_run(check, users, status, "later", days=2)
    assert trusted() == set()
    assert sorted(states(status)) == ["undoing"] * 3 + ["unverified"] * 3
    would = undo(users, status, dry_run=True)
    undone = undo(users, status)
    assert undone == would
    assert undone.left_alone == {"lapsed.com": {Standing.JUDGED_ANEW: 3}}
    assert trusted() == set()
    found = rows(
        status,
        "select undone.state, undone.undone_by, undone.undone_why, undone.undone_at = later.planned_at as is_by_then"
        " from lapsewatch.address_unverification as undone"
        " join lapsewatch.address_unverification as later using (address_key)"
        " where undone.run_id = 'first' and later.run_id = 'later'",
    )
    assert found == [{"state": "undone", "undone_by": "carol", "undone_why": "an outage", "is_by_then": True}] * 3
