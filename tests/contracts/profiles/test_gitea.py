"""What only Gitea has: accounts that go with their primary address, and random characters that end links."""

import pytest

from tests.contracts.profiles.system import System

pytestmark = pytest.mark.parametrize("system", ["gitea"], indirect=True)

IS_ACTIVE = 'select is_active from "user" where id = (select uid from email_address where id = %(key)s::bigint)'


def test_an_account_goes_with_its_primary_address_only(system: System) -> None:
    primary = system.add("a@lapsed.com")
    second = system.add("second@other.org", beside=primary)
    assert system.users.unverify(system.judge("other.org")) == {second}
    assert system.execute(IS_ACTIVE, key=primary) is True
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {primary}
    assert system.execute(IS_ACTIVE, key=primary) is False
    assert system.users.reverify(judged) == {primary}
    assert system.execute(IS_ACTIVE, key=primary) is True


@pytest.mark.parametrize("is_active", [False, None])
def test_who_was_not_active_before_is_not_made_so(system: System, is_active: bool | None) -> None:
    key = system.add("a@lapsed.com")
    system.execute('update "user" set is_active = %(is_active)s', is_active=is_active)
    before = system.rows()
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    assert system.users.reverify(judged) == {key}
    assert system.rows() == before


def test_who_has_become_active_since_stays_so(system: System) -> None:
    key = system.add("a@lapsed.com")
    system.execute('update "user" set is_active = false')
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    system.execute('update "user" set is_active = true')
    assert system.users.reverify(judged) == {key}
    assert system.execute(IS_ACTIVE, key=key) is True


def test_an_address_that_is_primary_no_more_leaves_the_account_as_it_is(system: System) -> None:
    key = system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    system.execute("update email_address set is_primary = false")
    assert system.users.reverify(judged) == {key}
    assert system.execute(IS_ACTIVE, key=key) is False


@pytest.mark.parametrize(("login_type", "seen"), [(0, True), (6, True), (2, False), (4, False), (7, False)])
def test_only_whose_password_is_reset_by_mail_is_seen(system: System, login_type: int, seen: bool) -> None:
    """Accounts of the service's own, and those that came by OAuth; not those of a directory or an operating system."""
    system.add("a@lapsed.com")
    system.execute('update "user" set login_type = %(login_type)s', login_type=login_type)
    assert system.counts() == ({"lapsed.com": 1} if seen else {})


def test_links_that_were_mailed_end(system: System) -> None:
    key = system.add("a@lapsed.com")
    system.add("a@other.org")
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    first = system.execute('select jsonb_agg(rands order by id) from "user"')
    assert first[0] != "random"
    assert len(first[0]) == 32
    assert first[1] == "random"
    assert system.users.reverify(judged) == {key}
    assert system.execute('select jsonb_agg(rands order by id) from "user"') == first


def test_a_security_key_does_not_stand_in_the_way_of_a_reset(system: System) -> None:
    system.add("a@lapsed.com")
    system.execute("insert into webauthn_credential (user_id, lower_name) select id, 'key' from \"user\"")
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False
