"""What only crates.io has: owners of two kinds, and locks that end."""

import pytest

from tests.contracts.profiles.system import System

pytestmark = pytest.mark.parametrize("system", ["crates_io"], indirect=True)


@pytest.mark.parametrize("change", ["owner_kind = 1", "deleted = true"])
def test_what_a_team_owns_or_an_account_has_given_up_is_not_its_own(system: System, change: str) -> None:
    key = system.add("a@lapsed.com")
    system.own(key, popular=True)
    system.execute(f"update crate_owners set {change}")
    (found,) = system.reader.sole_addresses()
    assert (found.owned_count, found.owns_popular) == (0, False)


def test_who_was_locked_once_is_seen(system: System) -> None:
    system.add("a@lapsed.com")
    system.execute("update users set account_lock_reason = 'spam', account_lock_until = now() - interval '1 day'")
    assert system.counts() == {"lapsed.com": 1}
