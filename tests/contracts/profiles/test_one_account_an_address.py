"""Systems that let one account have an address that is verified: who has it verified since keeps it."""

import pytest
from lapsewatch.user_databases.database import Standing

from tests.contracts.profiles.system import System

SYSTEMS = ["django_allauth", "hex"]


@pytest.mark.parametrize("system", SYSTEMS, indirect=True)
def test_who_has_verified_the_same_address_since_keeps_it(system: System) -> None:
    keys = {system.add(f"{name}@lapsed.com") for name in "abc"}
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == keys
    stranger = system.add("b@lapsed.com")
    before = system.rows()
    (theirs,) = [it for it in judged if it.address_key == sorted(keys, key=int)[1]]
    assert system.users.reverify([theirs]) == set()
    assert system.rows() == before
    # The others' batch lives.
    assert system.users.reverify(judged) == keys - {theirs.address_key}
    assert system.users.standings([theirs]) == [Standing.UNVERIFIED]
    assert system.counts() == {"lapsed.com": 3}
    assert stranger in {it.address_key for it in system.judge("lapsed.com")}
