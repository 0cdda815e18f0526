"""Who registers a domain anew need not be its owner: a lapse stays open, or was missed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.core.evidence import RdapOutcome, RdapReading
from lapsewatch.stages.summarise_run import summarise_run
from sqlalchemy import Engine

from tests.stages.conftest import SILENT_REGISTRY, rows
from tests.stages.lapses.conftest import DAY, LONG_AGO, NOW, Day, Verify, known, lapses, registered, unverified


def test_a_re_registration_never_ends_it(day: Day, status: Engine, user_url: str) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    assert unverified(user_url) == set()
    taken_at = NOW + 6 * DAY
    day(7, "active", registered(taken_at))
    [lapse] = lapses(status)
    assert lapse["ended_at"] is None
    assert (known(status)["phase"], known(status)["verdict"]) == ("reregistered", "unverify")
    assert unverified(user_url) == {"old", "new", "unknown"}


def test_a_re_registered_domain_stays_distrusted_also_while_the_registry_is_silent(day: Day, status: Engine) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(NOW + 6 * DAY), dry_run=True)
    day(8, "active", SILENT_REGISTRY, dry_run=True)
    assert known(status)["phase"] == "reregistered"
    assert len(lapses(status)) == 1


def test_the_next_owner_may_lapse_too(day: Day, status: Engine, user_url: str, verify: Verify) -> None:
    day(0, "undelegated active deleting")
    day(7, "active", registered(NOW + 6 * DAY))
    verify("new@one.com", NOW + 8 * DAY)
    day(9, "active", registered(NOW + 6 * DAY))
    assert unverified(user_url) == {"old", "unknown"}
    day(400, "undelegated active expiring", registered(NOW + 6 * DAY, "redemption period"))
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None, None]
    assert unverified(user_url) == {"old", "new", "unknown"}


def test_a_registration_that_changed_under_our_eyes_is_a_lapse_that_was_missed(
    day: Day, status: Engine, user_url: str
) -> None:
    day(0, "active", registered(LONG_AGO))
    day(100, "active", registered(NOW + 50 * DAY))
    assert unverified(user_url) == {"old", "new", "unknown"}
    [lapse] = lapses(status)
    assert (lapse["kind"], lapse["lapsed_at"]) == ("observed", NOW + 50 * DAY)


def test_a_renewal_of_the_new_registration_does_not_forgive_the_old_lapse(day: Day, status: Engine) -> None:
    taken_at = NOW + 6 * DAY
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(taken_at), dry_run=True)
    day(400, "undelegated active expiring", registered(taken_at, "redemption period"), dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None, None]
    day(401, "active", registered(taken_at), dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None, NOW + 401 * DAY]
    assert known(status)["lapsed_at"] == NOW
    day(402, "active", registered(taken_at), dry_run=True)
    assert known(status)["phase"] == "reregistered"


def test_an_address_that_two_lapses_touch_is_one_candidate(day: Day, status: Engine) -> None:
    taken_at = NOW + 6 * DAY
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(taken_at), dry_run=True)
    redemption = registered(taken_at, "redemption period")
    run = day(400, "undelegated active expiring", redemption, limits=replace(RUN_LIMITS, addresses=3))
    assert len(lapses(status)) == 2
    summarise_run(run, status)
    [metrics] = rows(status, "select unverified_count from lapsewatch.run_metrics")
    assert metrics["unverified_count"] == 3


def test_a_record_without_a_date_does_not_make_forget_the_one_before(day: Day, status: Engine, user_url: str) -> None:
    day(0, "active", registered(LONG_AGO))
    day(95, "active", RdapReading(RdapOutcome.FOUND, ("active",)))
    assert known(status)["registered_at"] == LONG_AGO
    day(190, "active", registered(NOW + 150 * DAY))
    assert unverified(user_url) == {"old", "new", "unknown"}


@pytest.mark.parametrize("hours", [0.5, 23])
def test_a_registration_dated_by_its_day_does_not_end_the_lapse_before_it(
    day: Day, status: Engine, hours: float
) -> None:
    day(0, "undelegated inactive", dry_run=True)
    day(1, "active", registered(NOW - timedelta(hours=hours)))
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None]
    assert known(status)["phase"] == "reregistered"


def test_what_was_released_and_is_registered_again_is_not_the_owners_also_where_no_registry_says_so(
    day: Day, status: Engine, user_url: str
) -> None:
    for number in range(2):
        day(number, "undelegated inactive", SILENT_REGISTRY, dry_run=True)
    assert len(lapses(status)) == 1
    for number in range(2, 4):
        day(number, "active", SILENT_REGISTRY)
        assert known(status)["phase"] == "reregistered"
    assert unverified(user_url) == {"old", "new", "unknown"}
