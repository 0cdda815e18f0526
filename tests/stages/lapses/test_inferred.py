"""An address verified before the domain's registration tells of a lapse that nobody saw."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, plan_and_unverify, rows
from tests.stages.lapses.conftest import DAY, LONG_AGO, NOW, Day, Verify, known, lapses, registered, unverified


def test_an_address_verified_before_the_registration_is_a_lapse_that_nobody_saw(
    day: Day, status: Engine, user_url: str, verify: Verify
) -> None:
    taken_at = NOW - 50 * DAY
    verify("old@one.com", taken_at - timedelta(microseconds=1))
    verify("new@one.com", taken_at)
    day(0, "active", registered(taken_at))
    # Strictly before; and an address of which nobody knows when it was verified is not concerned.
    assert unverified(user_url) == {"old"}
    [lapse] = lapses(status)
    assert (lapse["kind"], lapse["lapsed_at"], lapse["phase"]) == ("inferred", taken_at, "reregistered")
    day(1, "active", registered(taken_at))
    assert unverified(user_url) == {"old"}
    assert len(lapses(status)) == 1


def test_the_day_a_user_joined_says_nothing_about_an_address(day: Day, status: Engine, user_url: str) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute("update users set date_joined = now() - interval '20 years'")
    day(0, "active", registered(NOW - 50 * DAY))
    assert unverified(user_url) == set()
    assert lapses(status) == []


def test_a_registration_is_compared_once(
    day: Day, status: Engine, users: UserDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(0, "active", registered(LONG_AGO))
    monkeypatch.setattr(users, "addresses_on", lambda _: pytest.fail("the users were asked again"))
    day(1, "active", registered(LONG_AGO))
    assert known(status)["examined_registered_at"] == LONG_AGO


def test_a_registration_that_is_still_to_come_is_none(day: Day, status: Engine, user_url: str, verify: Verify) -> None:
    verify("old@one.com", NOW - 50 * DAY)
    day(0, "active", registered(NOW + 3650 * DAY))
    assert unverified(user_url) == set()
    assert known(status)["registered_at"] is None


def test_a_registration_that_came_while_another_was_compared_is_compared_too(
    day: Day, status: Engine, users: UserDatabase, monkeypatch: pytest.MonkeyPatch, verify: Verify, user_url: str
) -> None:
    verify("old@one.com", NOW - 50 * DAY)
    look_up, newer = users.addresses_on, NOW - DAY

    def meanwhile(hosts: object) -> object:
        monkeypatch.setattr(users, "addresses_on", look_up)
        with status.begin() as connection:
            connection.execute(text("update lapsewatch.domain_status set registered_at = :newer"), {"newer": newer})
        return look_up(hosts)

    monkeypatch.setattr(users, "addresses_on", meanwhile)
    day(0, "active", registered(LONG_AGO))
    assert known(status)["examined_registered_at"] == LONG_AGO
    plan_and_unverify(replace(RUN, run_id="next", clock=lambda: NOW), users, status)
    assert unverified(user_url) == {"old"}


def test_an_observed_and_an_inferred_lapse_on_one_host_touch_each_their_own(
    day: Day, status: Engine, user_url: str, verify: Verify
) -> None:
    taken_at = NOW - 50 * DAY
    verify("old@one.com", taken_at - DAY)
    verify("new@one.com", taken_at + DAY)
    day(0, "active", registered(taken_at), dry_run=True)
    day(100, "undelegated active expiring", registered(taken_at, "redemption period"), dry_run=True)
    assert [lapse["kind"] for lapse in lapses(status)] == ["inferred", "observed"]
    named = rows(
        status,
        "select kind, count(*) from lapsewatch.address_unverification join lapsewatch.domain_lapse"
        " using (domain, lapsed_at) group by 1 order by 1",
    )
    assert named == [{"kind": "inferred", "count": 1}, {"kind": "observed", "count": 3}]
    assert unverified(user_url) == set()
