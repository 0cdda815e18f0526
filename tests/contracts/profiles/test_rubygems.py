"""What only RubyGems.org has: events that tell of a verification, and gems that organizations own."""

import pytest

from tests.contracts.profiles.system import LONG_AGO, System
from tests.contracts.profiles.systems.rubygems import RubyGems


@pytest.mark.parametrize("system", ["rubygems"], indirect=True)
def test_an_event_of_another_address_tells_nothing(system: System) -> None:
    assert isinstance(system, RubyGems)
    key = system.add("before@other.org", at=LONG_AGO)
    system.change(key, "a@lapsed.com")
    (judged,) = system.judge("lapsed.com")
    assert (judged.address_key, judged.verified_at) == (key, None)
    system.note_verification(key, LONG_AGO)
    (judged,) = system.judge("lapsed.com")
    assert judged.verified_at == LONG_AGO


@pytest.mark.parametrize("system", ["rubygems"], indirect=True)
def test_who_has_not_accepted_yet_owns_nothing(system: System) -> None:
    key = system.add("a@lapsed.com")
    system.own(key, popular=True)
    system.execute("update ownerships set confirmed_at = null")
    (found,) = system.reader.sole_addresses()
    assert (found.owned_count, found.owns_popular) == (0, False)


@pytest.mark.parametrize("system", ["rubygems"], indirect=True)
@pytest.mark.parametrize(("accepted", "told"), [("now()", (1, True)), ("null", (0, False))])
def test_what_an_organization_owns_is_its_members(system: System, accepted: str, told: tuple[int, bool]) -> None:
    key = system.add("a@lapsed.com")
    system.own(key, popular=True)
    system.execute("update rubygems set organization_id = 7")
    system.execute(
        "insert into memberships (user_id, organization_id, confirmed_at, created_at, updated_at)"
        f" select user_id, 7, {accepted}, now(), now() from ownerships"
    )
    system.execute("delete from ownerships")
    (found,) = system.reader.sole_addresses()
    assert (found.owned_count, found.owns_popular) == told


@pytest.mark.parametrize("system", ["rubygems"], indirect=True)
def test_a_gem_of_its_own_that_is_its_organizations_too_counts_once(system: System) -> None:
    key = system.add("a@lapsed.com")
    system.own(key, popular=True)
    system.execute("update rubygems set organization_id = 7")
    system.execute(
        "insert into memberships (user_id, organization_id, confirmed_at, created_at, updated_at)"
        " select user_id, 7, now(), now(), now() from ownerships"
    )
    (found,) = system.reader.sole_addresses()
    assert (found.owned_count, found.owns_popular) == (1, True)
