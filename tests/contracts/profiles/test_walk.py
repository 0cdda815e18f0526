"""The stages over a user database of each profile: found, planned, taken, told, and given back."""

from dataclasses import replace

import pytest
from lapsewatch.stages.extract_accounts import extract_accounts
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection, undo_unverifications
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.contracts.profiles.system import LONG_AGO, System
from tests.stages.conftest import Check, check, plan_and_unverify, rows  # noqa: F401 - a fixture


@pytest.fixture
def users(system: System) -> UserDatabase:
    """The user database that the stages' fixtures find."""
    return system.users


def test_a_lapse_is_seen_through_and_undone(system: System, status: Engine, check: Check) -> None:  # noqa: F811
    keys = {system.add("a@lapsed.com", at=LONG_AGO), system.add("b@Mail.LAPSED.com", at=LONG_AGO)}
    for email in ("c@alive.com", "d@gmail.com"):
        system.add(email, at=LONG_AGO)
    system.add("never@lapsed.com", verified=False)
    for state in system.left_alone:
        system.leave_alone(state, system.add(f"{state}@lapsed.com", at=LONG_AGO))
    before = system.rows()
    run = check({"lapsed.com": "undelegated active expiring"})
    store_domain_status(run, status)

    assert plan_and_unverify(replace(run, dry_run=True), system.users, status)["unverified_count"] == 0
    assert system.rows() == before
    assert plan_and_unverify(run, system.users, status)["unverified_count"] == 2
    assert system.counts() == {"alive.com": 1, "gmail.com": 1}
    recorded = rows(status, "select address_key, state from lapsewatch.address_unverification where not dry_run")
    assert {(row["address_key"], row["state"]) for row in recorded} == {(key, "unverified") for key in keys}
    extract_accounts(run, system.users, status)
    notify_owners(run, system.users, status, None)

    undone = undo_unverifications(
        Selection(domain="lapsed.com"), "a mistake", "somebody", system.users, status, dry_run=False
    )
    assert undone.given_back["lapsed.com"] == 2
    assert system.rows() == before
