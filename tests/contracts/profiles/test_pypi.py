"""What only warehouse lets a test arrange: an account whose primary address is not its oldest."""

import pytest

from tests.contracts.profiles.system import System

pytestmark = pytest.mark.parametrize("system", ["pypi"], indirect=True)


def test_the_primary_address_is_told_before_older_ones(system: System) -> None:
    asked = system.add("asked@lapsed.com")
    older, primary = (system.add(email, beside=asked) for email in ("older@other.org", "primary@other.org"))
    system.execute('update user_emails set "primary" = (id = %(key)s::integer)', key=primary)
    (account,) = system.users.accounts_of([asked])
    assert [it.address_key for it in account.others] == [primary, older]
