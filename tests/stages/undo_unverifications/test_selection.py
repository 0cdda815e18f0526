"""A run, a domain, a run's part of a domain, or one address is undone, and the rest is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import NothingToUndo, Selection, Taking
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import AS_OF, Check, plan_and_unverify, rows
from tests.stages.undo_unverifications.conftest import GONE, LAPSED, Trusted, next_run, pardoned, states, undo


@pytest.mark.usefixtures("run")
def test_a_domain_alone_can_be_undone(users: UserDatabase, status: Engine, trusted: Trusted, check: Check) -> None:
    undone = undo(users, status, Selection(domain="lapsed.com"))
    assert undone.given_back == {"lapsed.com": 3}
    assert undone.pardoned_lapse_count == 1
    assert trusted() == {*LAPSED, "e@alive.com"}
    next_run(check, users, status)
    assert trusted() == {*LAPSED, "e@alive.com"}


@pytest.mark.usefixtures("run")
def test_an_address_alone_can_be_undone_and_its_lapse_still_counts_for_others(
    users: UserDatabase, status: Engine, trusted: Trusted, check: Check, add_addresses: Callable[..., None]
) -> None:
    undone = undo(users, status, Selection(address_key="1"))
    assert undone.given_back == {"lapsed.com": 1}
    assert undone.pardoned_lapse_count == 0
    assert trusted() == {"a@lapsed.com", "e@alive.com"}
    add_addresses("late@lapsed.com")
    next_run(check, users, status)
    assert trusted() == {"a@lapsed.com", "e@alive.com"}
    assert pardoned(status) == {}


@pytest.mark.usefixtures("run")
def test_all_open_lapses_of_a_domain_are_pardoned_with_it(users: UserDatabase, status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason, witnesses,"
                " evidence, policy, run_id, ended_at, end_reason)"
                " select domain, lapsed_at - days * interval '1 day', began_at, kind, phase, reason, witnesses,"
                " evidence, policy, run_id, case when days = 2 then now() end, case when days = 2 then 'renewed' end"
                " from lapsewatch.domain_lapse cross join generate_series(1, 2) as days where domain = 'lapsed.com'"
            )
        )
    assert undo(users, status, Selection(domain="lapsed.com")).pardoned_lapse_count == 2
    assert undo(users, status).pardoned_lapse_count == 1


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "selection", [Selection(run_id="other"), Selection(domain="alive.com"), Selection(address_key="5")]
)
def test_where_nothing_was_taken_away_it_says_so(selection: Selection, users: UserDatabase, status: Engine) -> None:
    for dry_run in (True, False):
        with pytest.raises(NothingToUndo):
            undo(users, status, selection, dry_run=dry_run)
    assert states(status) == ["unverified"] * 4


def test_something_is_selected_and_an_address_alone() -> None:
    for selected in ({}, {"run_id": "first", "address_key": "1"}, {"domain": "lapsed.com", "address_key": "1"}):
        with pytest.raises(ValueError, match="or else an address"):
            Selection(**selected)


@pytest.mark.usefixtures("run")
def test_of_a_domain_the_lapses_of_one_run_can_be_undone_alone(
    users: UserDatabase, status: Engine, trusted: Trusted, check: Check, add_addresses: Callable[..., None]
) -> None:
    add_addresses("late@lapsed.com")
    renewed = check({}, run_id="renewed", as_of=AS_OF + timedelta(days=1), scope="all")
    store_domain_status(renewed, status)
    plan_and_unverify(renewed, users, status)
    next_run(check, users, status, "later", days=2)
    [first, later] = rows(status, "select * from lapsewatch.domain_lapse where domain = 'lapsed.com' order by 2")
    all_of_it = undo(users, status, Selection(domain="lapsed.com"), dry_run=True)
    assert all_of_it.takings == {
        Taking("lapsed.com", first["lapsed_at"], "redemption", "first"): 3,
        Taking("lapsed.com", later["lapsed_at"], "redemption", "later"): 1,
    }
    for run_id in ("other", "renewed"):
        with pytest.raises(NothingToUndo, match=r"under lapsed\.com"):
            undo(users, status, Selection(run_id=run_id, domain="lapsed.com"))
    # The open lapse is the later run's.
    assert undo(users, status, Selection(run_id="first", domain="lapsed.com"), dry_run=True).pardoned_lapse_count == 1
    undone = undo(users, status, Selection(run_id="later", domain="lapsed.com"))
    assert undone.takings == {Taking("lapsed.com", later["lapsed_at"], "redemption", "later"): 1}
    assert undone.pardoned_lapse_count == 1
    assert trusted() == {"e@alive.com", "late@lapsed.com"}
    assert rows(status, "select lapsed_at from lapsewatch.domain_lapse where pardoned_at is not null") == [
        {"lapsed_at": later["lapsed_at"]}
    ]
    assert undo(users, status, Selection(run_id="first", domain="gone.org")).given_back == {"gone.org": 1}
    assert trusted() == {"e@alive.com", "late@lapsed.com", *GONE}
