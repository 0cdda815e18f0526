"""What only Supabase Auth has: copies of the flag in JSON, bans that end, factors that were never finished."""

from typing import Any

import pytest

from tests.contracts.profiles.systems.supabase import Supabase

pytestmark = pytest.mark.parametrize("system", ["supabase"], indirect=True)


def flags(system: Supabase) -> list[Any]:
    rows = system.rows()
    return [
        *[row["raw_user_meta_data"].get("email_verified") for row in rows["auth.users"] if row["raw_user_meta_data"]],
        *[row["identity_data"].get("email_verified") for row in rows["auth.identities"]],
    ]


def test_copies_of_the_flag_go_and_come_back(system: Supabase) -> None:
    key = system.add("a@lapsed.com")
    system.execute(
        "insert into auth.identities (provider_id, user_id, identity_data, provider)"
        " values ('1', %(key)s::uuid, '{\"email_verified\": true}', 'github')",
        key=key,
    )
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    assert sorted(flags(system)) == [False, False, True]
    assert system.users.reverify(judged) == {key}
    assert flags(system) == [True, True, True]


@pytest.mark.parametrize("metadata", [None, "{}", '{"email_verified": false}', '{"email_verified": "true"}'])
def test_what_was_not_flagged_is_not_flagged_afterwards(system: Supabase, metadata: str | None) -> None:
    key = system.add("a@lapsed.com")
    system.execute("update auth.users set raw_user_meta_data = %(it)s::jsonb", it=metadata)
    system.execute("update auth.identities set identity_data = coalesce(%(it)s::jsonb, '{}')", it=metadata)
    before = system.rows()
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    assert system.users.reverify(judged) == {key}
    assert system.rows() == before


def test_a_ban_that_has_ended_leaves_nobody_alone(system: Supabase) -> None:
    key = system.add("a@lapsed.com")
    system.execute("update auth.users set banned_until = now() - interval '1 day'")
    assert [it.address_key for it in system.judge("lapsed.com")] == [key]


def test_a_factor_that_was_never_finished_protects_nobody(system: Supabase) -> None:
    system.protect(system.add("a@lapsed.com"))
    system.execute("update auth.mfa_factors set status = 'unverified'")
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False


def test_codes_for_recovery_alone_protect_nobody(system: Supabase) -> None:
    system.protect(system.add("a@lapsed.com"))
    system.execute("update auth.mfa_factors set factor_type = 'recovery_codes'")
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False
