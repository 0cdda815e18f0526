"""What only Discourse has: one flag for all addresses of an account, and a job that deletes those without it."""

from datetime import timedelta

import pytest

from tests.contracts.profiles.system import CHECKED_AT, LONG_AGO
from tests.contracts.profiles.systems.discourse import ACCOUNT, Discourse

pytestmark = pytest.mark.parametrize("system", ["discourse"], indirect=True)

TO_BE_PURGED = """
    select count(*)
    from users
    left join user_histories as history
      on history.target_user_id = users.id and history.action = 39 and history.acting_user_id is not null
    where not users.active and history.id is null
"""
"""As User.purge_unactivated asks, of accounts that are old enough and have no posts."""


def test_secondary_addresses_are_left_alone(system: Discourse) -> None:
    key = system.add("primary@other.org")
    system.execute(
        'insert into user_emails (user_id, email, "primary", created_at, updated_at)'
        f" select {ACCOUNT}, 'second@lapsed.com', false, now(), now()",
        key=key,
    )
    assert system.counts() == {"other.org": 1}
    assert system.judge("lapsed.com") == []
    assert [it.address_key for it in system.users.sole_addresses()] == [key]


def test_who_is_unverified_is_not_purged(system: Discourse) -> None:
    key = system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    assert system.execute(TO_BE_PURGED) == 0
    system.unverify(system.add("theirs@lapsed.com"))
    assert system.execute(TO_BE_PURGED) == 1


def test_what_staff_wrote_of_an_account_stays(system: Discourse) -> None:
    key = system.add("a@lapsed.com")

    def write(action: int) -> None:
        system.execute(
            "insert into user_histories (action, acting_user_id, target_user_id, created_at, updated_at)"
            f" select %(action)s, 1, {ACCOUNT}, now(), now()",
            action=action,
            key=key,
        )

    deactivation, suspension = 39, 10
    write(deactivation)
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    write(suspension)
    assert system.users.reverify(judged) == {key}
    assert [it["acting_user_id"] for it in system.rows()["user_histories"]] == [1, 1]
    assert system.users.unverify(judged) == {key}
    write(deactivation)
    before = system.rows()
    assert system.users.reverify(judged) == set()
    assert system.rows() == before
    assert system.counts() == {}


def test_only_a_confirmed_token_of_this_address_tells_when(system: Discourse) -> None:
    key = system.add("A@lapsed.com", at=LONG_AGO)
    other = system.add("b@lapsed.com", at=LONG_AGO + timedelta(days=1))
    system.confirm(key, CHECKED_AT)
    system.execute(
        "update email_tokens set confirmed = false where created_at > %(at)s::timestamp", at=CHECKED_AT - timedelta(1)
    )
    system.confirm(key, LONG_AGO + timedelta(days=2))
    system.execute(
        "update email_tokens set email = 'old@lapsed.com' where created_at = (select max(created_at) from email_tokens"
        " where confirmed)"
    )
    system.execute("update email_tokens set email = lower(email)")
    assert {it.address_key: it.verified_at for it in system.judge("lapsed.com")} == {
        key: LONG_AGO,
        other: LONG_AGO + timedelta(days=1),
    }


def test_a_key_for_logging_in_is_no_second_factor(system: Discourse) -> None:
    key = system.add("a@lapsed.com")
    system.execute(
        "insert into user_security_keys (user_id, credential_id, public_key, factor_type, name, created_at, updated_at)"
        f" select {ACCOUNT}, 'a', 'a', 1, 'passkey', now(), now()",
        key=key,
    )
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False
    system.execute("update user_security_keys set factor_type = 0")
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is True
