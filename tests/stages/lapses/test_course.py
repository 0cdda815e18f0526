"""Lapses as events: what opens one, what covers it, what ends it, and that it is not forgotten."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import RUN, SILENT_REGISTRY, Check, plan_and_unverify, rows
from tests.stages.lapses.conftest import DAY, LONG_AGO, NOW, Day, Verify, known, lapses, registered, unverified


def test_a_lapse_opens_with_what_every_witness_said(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring", registered(LONG_AGO, "redemption period"))
    [lapse] = lapses(status)
    assert (lapse["kind"], lapse["phase"], lapse["witnesses"]) == ("observed", "redemption", ["flags", "rdap"])
    assert (lapse["policy"], lapse["run_id"], lapse["ended_at"]) == ("corroborated", "day0", None)
    assert lapse["evidence"]["flags"] == ["undelegated", "active", "expiring"]
    assert lapse["evidence"]["rdap"]["status"] == ["redemption period"]
    assert lapse["began_at"] == lapse["lapsed_at"] == known(status)["lapsed_at"]


def test_a_lone_reading_opens_none_until_it_has_stood_for_a_day(day: Day, status: Engine, user_url: str) -> None:
    day(0, "undelegated inactive", SILENT_REGISTRY)
    assert lapses(status) == []
    assert known(status)["adverse_since"] == NOW
    day(1, "undelegated inactive", SILENT_REGISTRY)
    [lapse] = lapses(status)
    assert (lapse["began_at"], lapse["lapsed_at"]) == (NOW, NOW + DAY)
    assert unverified(user_url) == {"old", "new", "unknown"}


def test_silence_between_two_readings_does_not_break_them_and_a_good_one_does(day: Day, status: Engine) -> None:
    day(0, "undelegated inactive", SILENT_REGISTRY)
    day(1, NoEvidenceReason.TIMEOUT, SILENT_REGISTRY)
    assert lapses(status) == []
    day(2, "active")
    assert known(status)["adverse_since"] is None
    day(3, "undelegated inactive", SILENT_REGISTRY)
    assert lapses(status) == []
    assert known(status)["adverse_since"] == NOW + 3 * DAY


def test_a_lapse_that_goes_on_is_one(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring")
    day(1, "undelegated active deleting")
    day(2, "undelegated inactive")
    assert len(lapses(status)) == 1


def test_it_ends_when_the_same_registration_stands_again(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring", dry_run=True)
    day(1, "active", registered(LONG_AGO), dry_run=True)
    [lapse] = lapses(status)
    assert (lapse["ended_at"], lapse["ended_run_id"]) == (NOW + DAY, "day1")
    assert (known(status)["lapsed_at"], known(status)["verdict"]) == (None, "keep")


@pytest.mark.parametrize(
    "record", [SILENT_REGISTRY, RdapReading(RdapOutcome.FOUND, ("active",))], ids=["silent", "dateless"]
)
def test_it_stays_open_where_nobody_says_who_registered_the_domain(
    day: Day, status: Engine, record: RdapReading
) -> None:
    day(0, "undelegated active expiring", dry_run=True)
    for number in range(1, 4):
        day(number, "active", record)
    [lapse] = lapses(status)
    assert lapse["ended_at"] is None
    # A registry that is silent has not taken back what it said.
    assert known(status)["phase"] == ("redemption" if record is SILENT_REGISTRY else "active")
    assert known(status)["verdict"] == "watch"


def test_an_older_answer_opens_and_ends_nothing(status: Engine, check: Check) -> None:
    old = check({"one.com": "inactive"})
    store_domain_status(check({"one.com": "active"}, run_id="newer", scope="all"), status)
    store_domain_status(old, status)
    assert lapses(status) == []


def test_a_repeated_store_opens_no_second_one(day: Day, status: Engine) -> None:
    run = day(0, "undelegated active expiring")
    store_domain_status(run, status)
    assert len(lapses(status)) == 1


@pytest.mark.parametrize("budget", [0, 2000])
def test_an_expiry_is_watched_while_the_registry_is_silent(day: Day, status: Engine, budget: int) -> None:
    day(0, "active", registered(LONG_AGO, "auto renew period"))
    for number in range(1, 4):
        day(number, "active", SILENT_REGISTRY, max_rdap_calls=budget)
        assert (known(status)["phase"], known(status)["verdict"]) == ("expired", "watch")
        assert known(status)["next_check_at"] == RUN.as_of + (number + 1) * DAY
    day(4, "active", registered(LONG_AGO))
    assert (known(status)["phase"], known(status)["verdict"]) == ("active", "keep")


def test_the_evidence_is_that_of_the_check_that_decided(day: Day, status: Engine) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(NOW + 6 * DAY))
    taken = rows(status, "select evidence from lapsewatch.address_unverification where state = 'unverified'")
    assert {row["evidence"]["rdap"]["status"][0] for row in taken} == {"active"}
    assert {row["evidence"]["previous"]["phase"] for row in taken} == {"pending_delete"}


def test_two_runs_at_once_open_one_lapse(
    status: Engine, users: UserDatabase, check: Check, user_url: str, verify: Verify
) -> None:
    told = {"one.com": "undelegated active expiring"}
    first, second = [
        check(told, replace(RUN, run_id=f"run{hour}", scope="all", clock=lambda at=NOW + timedelta(hours=hour): at))
        for hour in range(2)
    ]
    store_domain_status(first, status)
    plan_and_unverify(first, users, status)
    assert unverified(user_url) == {"old", "new", "unknown"}
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = true, unverify_reason = null")
    store_domain_status(second, status)
    plan_and_unverify(second, users, status)
    assert len(lapses(status)) == 1
    assert unverified(user_url) == set()
