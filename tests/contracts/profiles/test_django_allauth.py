"""What only django-allauth has: recovery codes, which are kept like second factors."""

import pytest

from tests.contracts.profiles.system import System


@pytest.mark.parametrize("system", ["django_allauth"], indirect=True)
def test_recovery_codes_alone_are_no_second_factor(system: System) -> None:
    key = system.add("a@lapsed.com")
    system.protect(key)
    system.execute("delete from mfa_authenticator where type = 'totp'")
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False
