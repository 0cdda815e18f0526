"""A pardon holds for the lapse and the registration that it knew of."""

from lapsewatch.stages.undo_unverifications import Selection, undo_unverifications
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.lapses.conftest import DAY, LONG_AGO, NOW, Day, lapses, registered, unverified


def pardon(users: UserDatabase, status: Engine) -> None:
    undo_unverifications(Selection(domain="one.com"), "he restores it", "carol", users, status, dry_run=False)


def test_who_pardons_a_lapse_does_not_pardon_the_stranger_who_registers_the_domain_later(
    day: Day, status: Engine, users: UserDatabase, user_url: str
) -> None:
    day(0, "undelegated active expiring", registered(LONG_AGO, "redemption period"))
    pardon(users, status)
    day(1, "undelegated active expiring", registered(LONG_AGO, "redemption period"))
    day(40, "undelegated inactive")
    assert len(lapses(status)) == 1
    assert unverified(user_url) == set()
    for number in (60, 61):
        day(number, "active", registered(NOW + 50 * DAY))
        assert [lapse["lapsed_at"] for lapse in lapses(status)] == [NOW, NOW + 50 * DAY]
        assert unverified(user_url) == {"old", "new", "unknown"}


def test_a_pardon_holds_for_the_registration_that_it_knew_of(
    day: Day, status: Engine, users: UserDatabase, user_url: str
) -> None:
    day(-9, "undelegated inactive")
    day(-2, "active", registered(NOW - 3 * DAY))
    pardon(users, status)
    for number in (1, 2):
        day(number, "active", registered(NOW - 3 * DAY))
    assert len(lapses(status)) == 1
    assert unverified(user_url) == set()
