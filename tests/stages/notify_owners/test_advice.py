"""Accounts that hang on one address are advised: those most at risk first, and once a year."""

from dataclasses import replace

from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.notify_owners.conftest import DAY, NONE, NOW, account_at_risk, change, outbox


def advised(status: Engine) -> list[str]:
    return [row["account_key"] for row in outbox(status)]


def test_the_accounts_most_at_risk_are_advised_first_and_no_more_than_allowed(
    calm: Run, users: UserDatabase, status: Engine
) -> None:
    account_at_risk(status, "popular", owns_popular=True, has_second_factor=True, owned_count=1)
    account_at_risk(status, "open", owns_popular=False, has_second_factor=False, owned_count=1)
    account_at_risk(status, "prolific", owns_popular=False, has_second_factor=True, owned_count=9)
    account_at_risk(status, "idle", owns_popular=False, has_second_factor=True, owned_count=0)
    account_at_risk(status, "untold")
    order = ["popular", "open", "prolific", "idle", "untold"]
    for number in range(1, 6):
        run = replace(calm, run_id=f"run{number}", max_advice=1)
        for _ in range(2):
            counts = notify_owners(run, users, status, None)
            assert counts == {"notification_count": NONE | {"single_address": 1}}
        assert set(advised(status)) == set(order[:number])
    [told] = [row for row in outbox(status) if row["account_key"] == "popular"]
    assert told["payload"] == {
        "version": 1,
        "kind": "single_address",
        "account_key": "popular",
        "address_key": "popular-address",
        "domain": "risky.com",
        "recipients": ["popular-address"],
        "has_second_factor": True,
        "owned_count": 1,
        "owns_popular": True,
    }


def test_an_account_is_advised_once_a_year(calm: Run, users: UserDatabase, status: Engine) -> None:
    account_at_risk(status, "one")
    told = {}
    for number in (0, 1, 364, 366, 400, 732):
        run = replace(calm, run_id=f"day{number}", clock=lambda day=number: NOW + day * DAY)
        told[number] = notify_owners(run, users, status, None)["notification_count"]["single_address"]
    assert told == {0: 1, 1: 0, 364: 0, 366: 1, 400: 0, 732: 1}


def test_only_accounts_of_the_newest_extraction_on_domains_that_stand_well_are_advised(
    calm: Run, users: UserDatabase, status: Engine
) -> None:
    account_at_risk(status, "fine")
    account_at_risk(status, "vanished", seen_at=NOW - DAY)
    account_at_risk(status, "expired", "expired.com", phase="expired")
    account_at_risk(status, "unknown", "unknown.com", phase="unknown")
    account_at_risk(status, "lapsed", "lapsed.com")
    change(status, "update lapsewatch.domain_status set lapsed_at = now() where domain = 'lapsed.com'")
    notify_owners(calm, users, status, None)
    assert advised(status) == ["fine"]
