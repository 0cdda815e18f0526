"""What only Hex.pm has: resets of a password that are on their way, and a second factor in JSON."""

import pytest

from tests.contracts.profiles.system import System

RESET = (
    "insert into password_resets (key_hash, primary_email, user_id, inserted_at)"
    " select 'hash', %(mailed)s, user_id, now() from emails where id = %(key)s::integer"
)


@pytest.mark.parametrize("system", ["hex"], indirect=True)
def test_resets_that_were_mailed_to_the_address_end_and_no_others(system: System) -> None:
    key = system.add("a@lapsed.com")
    other = system.add("a@other.org", beside=key)
    system.execute(RESET, key=key, mailed="a@lapsed.com")
    system.execute(RESET, key=other, mailed="a@other.org")
    stranger = system.add("b@other.org")
    system.execute(RESET, key=stranger, mailed="a@lapsed.com")
    assert system.users.unverify(system.judge("lapsed.com")) == {key}
    left = system.execute("select jsonb_agg(primary_email order by id) from password_resets")
    assert left == ["a@other.org", "a@lapsed.com"]


@pytest.mark.parametrize("system", ["hex"], indirect=True)
@pytest.mark.parametrize("tfa", ["{}", '{"secret": null}', '{"recovery_codes": []}'])
def test_without_a_secret_there_is_no_second_factor(system: System, tfa: str) -> None:
    system.add("a@lapsed.com")
    system.execute("update users set tfa = %(tfa)s::jsonb", tfa=tfa)
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False
