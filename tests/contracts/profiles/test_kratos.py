"""What only Ory Kratos has: random keys, phone numbers beside addresses, a status."""

from uuid import UUID, uuid4

import pytest

from tests.contracts.profiles.system import LONG_AGO
from tests.contracts.profiles.systems.kratos import ACCOUNT, Kratos

pytestmark = pytest.mark.parametrize("system", ["kratos"], indirect=True)


def test_people_are_told_at_their_oldest_address(system: Kratos) -> None:
    oldest = str(UUID(int=2**128 - 1))
    asked = system.add("asked@lapsed.com")
    account = system.execute(f"select {ACCOUNT}", key=asked)
    for key, email in ((oldest, "oldest@other.org"), (str(uuid4()), "newer@other.org")):
        system.insert(UUID(key), account, email, verified=True, at=None)
    system.execute("update identity_verifiable_addresses set created_at = '2020-01-01' where id = %(key)s", key=oldest)
    (told,) = system.users.accounts_of([asked])
    assert told.others[0].address_key == oldest
    assert len(told.others) == 2


def test_phone_numbers_are_no_addresses(system: Kratos) -> None:
    key = system.add("a@lapsed.com")
    phone = system.add("+49@lapsed.com", beside=key)
    system.execute("update identity_verifiable_addresses set via = 'sms' where id = %(key)s::uuid", key=phone)
    assert system.counts() == {"lapsed.com": 1}
    assert [it.address_key for it in system.judge("lapsed.com")] == [key]


@pytest.mark.parametrize("status", ["completed", "sent"])
@pytest.mark.parametrize("at", [None, LONG_AGO])
def test_status_and_time_come_back_as_they_were(system: Kratos, status: str, at: object) -> None:
    key = system.add("a@lapsed.com", at=LONG_AGO if at else None)
    system.execute(
        "update identity_verifiable_addresses set status = %(status)s where id = %(key)s::uuid", key=key, status=status
    )
    before = system.rows()
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {key}
    (row,) = system.rows()["identity_verifiable_addresses"]
    assert (row["verified"], row["status"], row["verified_at"]) == (False, "pending", None)
    assert system.users.reverify(judged) == {key}
    assert system.rows() == before


@pytest.mark.parametrize("kind", ["password", "code", "passkey", "lookup_secret"])
def test_what_is_no_second_factor(system: Kratos, kind: str) -> None:
    system.protect(system.add("a@lapsed.com"))
    system.execute(
        "update identity_credentials set identity_credential_type_id ="
        " (select id from identity_credential_types where name = %(kind)s)",
        kind=kind,
    )
    (found,) = system.reader.sole_addresses()
    assert found.has_second_factor is False
