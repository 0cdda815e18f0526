"""What only GitLab has: a primary address that is two rows, and may change places with another one."""

from datetime import datetime, timedelta

import pytest
from lapsewatch.user_databases.database import Standing

from tests.contracts.profiles.system import LONG_AGO
from tests.contracts.profiles.systems.gitlab import ACCOUNT, GitLab

pytestmark = pytest.mark.parametrize("system", ["gitlab"], indirect=True)


def times(system: GitLab) -> list[datetime | None]:
    return [row["confirmed_at"] for table in ("users", "emails") for row in system.rows()[table]]


@pytest.mark.parametrize("missing", ["users", "emails"])
def test_either_row_verifies_the_primary_address(system: GitLab, missing: str) -> None:
    key = system.add("a@lapsed.com", at=LONG_AGO)
    system.execute(f"update {missing} set confirmed_at = null")
    before = system.rows()
    assert system.counts() == {"lapsed.com": 1}
    judged = system.judge("lapsed.com")
    assert [it.verified_at for it in judged] == [LONG_AGO]
    assert system.users.unverify(judged) == {key}
    assert times(system) == [None, None]
    assert system.users.reverify(judged) == {key}
    assert system.rows() == before


def test_a_secondary_address_is_its_own_row_only(system: GitLab) -> None:
    primary = system.add("a@other.org", at=LONG_AGO)
    second = system.add("a@lapsed.com", beside=primary, at=LONG_AGO + timedelta(days=1))
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {second}
    assert len([it for it in times(system) if it is None]) == 1
    assert [it.address_key for it in system.judge("other.org")] == [primary]


def test_the_time_of_the_primary_address_before_is_not_this_ones(system: GitLab) -> None:
    primary = system.add("a@other.org", at=LONG_AGO + timedelta(days=9))
    second = system.add("a@lapsed.com", beside=primary, at=LONG_AGO)
    system.execute(f"update users set email = 'a@lapsed.com' where id = {ACCOUNT}", key=primary)
    assert [(it.address_key, it.verified_at) for it in system.judge("lapsed.com")] == [(second, LONG_AGO)]


def test_another_primary_address_is_not_verified_by_giving_back(system: GitLab) -> None:
    lapsed = system.add("a@lapsed.com", at=LONG_AGO)
    system.add("new@other.org", beside=lapsed, verified=False)
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {lapsed}
    system.execute(f"update users set email = 'new@other.org' where id = {ACCOUNT}", key=lapsed)
    assert system.users.reverify(judged) == {lapsed}
    assert system.counts() == {"lapsed.com": 1}


def test_who_is_idle_is_not_left_alone(system: GitLab) -> None:
    keys = {system.add("a@lapsed.com"), system.add("b@lapsed.com")}
    system.execute("update users set state = 'deactivated' where email like 'a%%'")
    system.execute("update users set locked_at = now() where email like 'b%%'")
    assert {it.address_key for it in system.judge("lapsed.com")} == keys


def test_what_its_job_has_deleted_is_gone(system: GitLab) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    system.execute("delete from emails where confirmed_at is null")
    assert system.users.standings(judged) == [Standing.GONE]
    assert system.users.reverify(judged) == set()


def test_maintainers_publish_and_developers_do_not(system: GitLab) -> None:
    key = system.add("a@lapsed.com")
    system.own(key, popular=True)
    for level, count, popular in ((40, 1, True), (30, 0, False)):
        system.execute("update project_authorizations set access_level = %(level)s", level=level)
        (found,) = system.reader.sole_addresses()
        assert (found.owned_count, found.owns_popular) == (count, popular)


def test_a_passkey_is_no_second_factor(system: GitLab) -> None:
    system.add("a@lapsed.com")

    def has_second_factor() -> bool | None:
        (found,) = system.reader.sole_addresses()
        return found.has_second_factor

    assert has_second_factor() is False
    system.execute(
        "insert into webauthn_registrations (user_id, created_at, updated_at, credential_xid, name, public_key)"
        " select id, now(), now(), 'id', 'key', 'key' from users"
    )
    assert has_second_factor() is True
    # As newer releases have it: 1 is in place of a password, 2 beside it.
    system.execute("alter table webauthn_registrations add column authentication_mode smallint not null default 2")
    assert has_second_factor() is True
    system.execute("update webauthn_registrations set authentication_mode = 1")
    assert has_second_factor() is False
