"""What only Devise has: accounts that were locked for failed log-ins, which a reset by mail opens again."""

import pytest

from tests.contracts.profiles.system import System


@pytest.mark.parametrize("system", ["devise"], indirect=True)
def test_who_is_locked_is_not_left_alone(system: System) -> None:
    key = system.add("a@lapsed.com")
    system.execute("update users set locked_at = now()")
    assert [it.address_key for it in system.judge("lapsed.com")] == [key]
