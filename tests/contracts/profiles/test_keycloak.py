"""What only Keycloak has: credentials of many types in one table, and realms."""

import pytest

from tests.contracts.profiles.systems.keycloak import Keycloak

pytestmark = pytest.mark.parametrize("system", ["keycloak"], indirect=True)


@pytest.mark.parametrize("type_", ["password", "webauthn-passwordless", "recovery-authn-codes"])
def test_what_is_no_second_factor(system: Keycloak, type_: str) -> None:
    system.protect(system.add("a@lapsed.com"))
    system.execute("update credential set type = %(type)s", type=type_)
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False


def test_an_address_may_be_used_in_several_realms(system: Keycloak) -> None:
    keys = {system.add("a@lapsed.com")}
    system.execute("update user_entity set realm_id = 'another'")
    keys.add(system.add("a@lapsed.com"))
    judged = system.judge("lapsed.com")
    assert system.counts() == {"lapsed.com": 2}
    assert system.users.unverify(judged) == keys
    assert system.users.reverify(judged) == keys
