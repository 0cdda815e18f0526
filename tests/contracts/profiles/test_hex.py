"""What only Hex.pm has: resets of a password that are on their way."""

import pytest

from tests.contracts.profiles.system import System

RESET = (
    "insert into password_resets (key, primary_email, user_id, inserted_at)"
    " select 'key', %(mailed)s, user_id, now() from emails where id = %(key)s::integer"
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
@pytest.mark.parametrize(
    "tfa",
    [
        "{}",
        '{"tfa_enabled": false, "app_enabled": true}',
        '{"tfa_enabled": null}',
        '{"secret": null}',
        '{"secret": "s", "tfa_enabled": false}',
    ],
)
def test_a_second_factor_that_is_switched_off_is_none(system: System, tfa: str) -> None:
    system.add("a@lapsed.com")
    system.execute("update users set tfa = %(tfa)s::jsonb", tfa=tfa)
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False


@pytest.mark.parametrize("system", ["hex"], indirect=True)
def test_a_secret_without_a_flag_is_a_second_factor(system: System) -> None:
    system.add("a@lapsed.com")
    system.execute("""update users set tfa = '{"secret": "s", "recovery_codes": []}'""")
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is True
