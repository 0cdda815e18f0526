"""What only Packagist has: a secret of one-time passwords that may be empty."""

import pytest

from tests.contracts.profiles.system import System

pytestmark = pytest.mark.parametrize("system", ["packagist"], indirect=True)


@pytest.mark.parametrize(("secret", "has_second_factor"), [(None, False), ("", False), ("secret", True)])
def test_an_empty_secret_is_no_second_factor(system: System, secret: str | None, has_second_factor: bool) -> None:
    system.add("a@lapsed.com")
    system.execute("update fos_user set totpSecret = %(secret)s", secret=secret)
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is has_second_factor
