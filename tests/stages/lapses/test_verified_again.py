"""Who verified an address in the course of the lapse, or later, is left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.core.errors import Unavailable
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import SuspectHost, UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import RUN, Check, plan_and_unverify, rows
from tests.stages.lapses.conftest import DAY, NOW, Day, Verify, unverified


def test_an_owner_who_verified_in_the_course_of_the_lapse_is_left_alone(
    day: Day, status: Engine, user_url: str, verify: Verify
) -> None:
    verify("old@one.com", NOW - 100 * DAY)
    verify("new@one.com", NOW + 1 * DAY)
    day(0, "undelegated active expiring", dry_run=True)
    day(2, "undelegated active expiring")
    assert unverified(user_url) == {"old", "unknown"}
    taken = rows(status, "select verified_at from lapsewatch.address_unverification where state = 'unverified'")
    assert {row["verified_at"] for row in taken} == {None, NOW - 100 * DAY}


@pytest.mark.parametrize("when", ["between two attempts", "within one"])
def test_who_verifies_again_while_the_run_is_at_work_is_left_alone(
    day: Day,
    status: Engine,
    users: UserDatabase,
    user_url: str,
    verify: Verify,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    verify("old@one.com", NOW - 100 * DAY)
    run = check({"one.com": "undelegated active expiring"}, replace(RUN, clock=lambda: NOW))
    store_domain_status(run, status)
    unverify = users.unverify

    def meanwhile(addresses: object) -> set[str]:
        verify("old@one.com", NOW + timedelta(minutes=1))
        verify("unknown@one.com", NOW + timedelta(minutes=1))
        monkeypatch.setattr(users, "unverify", unverify)
        if when == "within one":
            return unverify(addresses)
        raise Unavailable("the user database is down")

    monkeypatch.setattr(users, "unverify", meanwhile)
    if when == "between two attempts":
        with pytest.raises(Unavailable):
            plan_and_unverify(run, users, status)
    plan_and_unverify(run, users, status)
    assert unverified(user_url) == {"new"}


def test_an_event_counts_for_its_own_kind_user_and_address_however_it_is_spelt(
    users: UserDatabase, user_url: str, add_addresses: Callable[..., None]
) -> None:
    add_addresses("Bob@two.com")
    add_addresses("carol@two.com")
    with psycopg.connect(user_url) as connection:
        for tag, owner, email, age in [
            ("account:email:verified", "Bob@two.com", "bob@two.com", 9),
            ("account:email:verified", "carol@two.com", "bob@two.com", 1),
            ("account:email:add", "Bob@two.com", "Bob@two.com", 2),
            ("account:email:verified", "Bob@two.com", "elsewhere@two.com", 3),
        ]:
            connection.execute(
                "insert into user_events (source_id, tag, time, additional)"
                " select user_id, %s, %s at time zone 'UTC', jsonb_build_object('email', %s::text)"
                " from user_emails where email = %s",
                [tag, NOW - age * DAY, email, owner],
            )
    found = users.addresses_on([SuspectHost("two.com", NOW, unknown_too=True)])
    assert sorted((address.verified_at for address in found), key=str) == [NOW - 9 * DAY, None]
    known_only = users.addresses_on([SuspectHost("two.com", NOW, unknown_too=False)])
    assert [address.verified_at for address in known_only] == [NOW - 9 * DAY]
