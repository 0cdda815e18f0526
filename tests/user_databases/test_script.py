"""What the owner's script makes of a profile whose `grants.sql` is wrong."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from lapsewatch.user_databases.profile import load_profile
from psycopg import errors

from local.checkout import ROOT

SCRIPT = load_profile("generic").grants()


@pytest.fixture
def owner(empty_database_url: str) -> Iterator[psycopg.Connection]:
    """The owner of a database of the profile `generic`, with a user, where the script is yet to be run."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute((ROOT / "tests/contracts/profiles/schemas/generic.sql").read_bytes())
        connection.execute("insert into accounts (name, email, email_verified) values ('a', 'a@lapsed.com', true)")
        yield connection


@pytest.mark.parametrize("missing", ["read_key", "lock_address", "unverify_address", "reverify_address"])
def test_it_stops_where_a_function_is_missing(owner: psycopg.Connection, missing: str) -> None:
    without, count = re.subn(rf"create function lapsewatch\.{missing}\(.*?;\n(end;\n)?", "", SCRIPT, flags=re.DOTALL)
    assert count == 1
    with pytest.raises(errors.UndefinedFunction, match=missing):
        owner.execute(without.encode())


@pytest.mark.parametrize("missing", ["known_address", "account"])
def test_it_stops_where_a_view_is_missing(owner: psycopg.Connection, missing: str) -> None:
    without, count = re.subn(rf"create view lapsewatch\.{missing} as.*?;\n", "", SCRIPT, flags=re.DOTALL)
    assert count == 1
    with pytest.raises(errors.UndefinedTable, match=missing):
        owner.execute(without.encode())


def test_what_is_neither_verified_nor_not_is_neither_taken_nor_given_back(owner: psycopg.Connection) -> None:
    take = (
        "insert into lapsewatch.unverification (address_key, host, checked_at, flags)"
        " values ('1', 'lapsed.com', now(), '{inactive}') returning address_key"
    )
    unclear = SCRIPT.replace("email_verified as is_verified", "nullif(email_verified, email_verified) as is_verified")
    assert unclear != SCRIPT
    owner.execute(unclear.encode())
    assert owner.execute(take).fetchall() == []
    owner.execute(SCRIPT.encode())
    assert owner.execute(take).fetchall() == [("1",)]
    owner.execute(unclear.encode())
    assert owner.execute("update lapsewatch.unverification set reverified_at = now() returning 1").fetchall() == []
    assert owner.execute("select email_verified from accounts").fetchall() == [(False,)]
