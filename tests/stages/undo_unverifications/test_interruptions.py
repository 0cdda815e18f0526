"""An undo that was killed or refused, or that comes after a dead run, is carried out in the end."""

from collections.abc import Callable
from itertools import count

import psycopg
import pytest
from lapsewatch.stages import intents
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import Check, is_killed, plan_and_unverify
from tests.stages.test_unverify_emails import Killed
from tests.stages.undo_unverifications.conftest import (
    EXPIRING,
    GONE,
    LAPSED,
    Trusted,
    execute,
    pardoned,
    states,
    undo,
    unverifications,
)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("chunk", [2, 1000])
def test_killed_between_any_two_statements_a_rerun_ends_in_the_undisturbed_state(
    users: UserDatabase,
    status: Engine,
    user_url: str,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
) -> None:
    monkeypatch.setattr(intents, "ADDRESSES_PER_TRANSACTION", chunk)
    execute(user_url, "update user_emails set verified = true, unverify_reason = null where email = 'b@lapsed.com'")
    before = read_emails(user_url)
    kills = 0
    for kills in count():
        take_again(user_url, before, status)
        if not is_killed(lambda own_status, own_users: undo(own_users, own_status), status, users, kills):
            break
        given_back = {row["address_key"] for row in unverifications(status) if row["state"] in ("undoing", "undone")}
        assert keys_of(user_url, "verified") <= {"2", "5"} | given_back, f"killed before statement {kills}"
        again = undo(users, status)
        assert again.given_back.total() + again.given_back_before == 3, f"killed before statement {kills}"
        assert trusted() == {*LAPSED, *GONE, "e@alive.com"}, f"killed before statement {kills}"
        assert states(status) == ["undone", "unverified", "undone", "undone"], f"killed before statement {kills}"
        assert pardoned(status).keys() == {"lapsed.com", "gone.org"}
    assert kills > 15
    assert states(status) == ["undone", "unverified", "undone", "undone"]


def read_emails(user_url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(user_url) as connection:
        return connection.execute("select * from user_emails order by id").fetchall()


def keys_of(user_url: str, condition: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        return {key for (key,) in connection.execute(f"select id::text from user_emails where {condition}")}


def take_again(user_url: str, emails: list[tuple[object, ...]], status: Engine) -> None:
    """Nothing was ever undone."""
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails")
        places = ", ".join(["%s"] * len(emails[0]))
        connection.cursor().executemany(f"insert into user_emails values ({places})", emails)
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.address_unverification"
                " set state = 'unverified', undone_at = null, undone_by = null, undone_why = null"
            )
        )
        connection.execute(
            text("update lapsewatch.domain_lapse set pardoned_at = null, pardoned_by = null, pardoned_why = null")
        )


@pytest.mark.usefixtures("run")
def test_a_user_database_that_refuses_leaves_intents_that_the_next_undo_carries_out(
    users: UserDatabase, status: Engine, user_url: str, trusted: Trusted
) -> None:
    execute(user_url, "alter table user_emails add constraint a_rule check (not verified or email not like 'a@%')")
    with pytest.raises(Exception, match="CheckViolation") as raised:
        undo(users, status)
    assert "lapsed.com" not in str(raised.value)
    assert states(status) == ["undoing"] * 4
    assert trusted() == {"e@alive.com"}
    execute(user_url, "alter table user_emails drop constraint a_rule")
    assert undo(users, status, Selection(address_key="1"), dry_run=True).given_back.total() == 1
    assert undo(users, status, Selection(domain="lapsed.com")).given_back == {"lapsed.com": 3}
    assert states(status) == ["undone", "undone", "undone", "undoing"]


def test_what_a_dead_run_has_taken_without_a_record_is_undone_too(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING)
    store_domain_status(run, status)
    unverify = users.unverify

    def dies_after(addresses: list[object]) -> set[str]:
        unverify(addresses)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(users, "unverify", dies_after)
        with pytest.raises(Killed):
            plan_and_unverify(run, users, status)
    assert trusted() == set()
    one = undo(users, status, Selection(address_key="1"), dry_run=True)
    assert (one.given_back, one.given_up) == ({"lapsed.com": 1}, {})
    would = undo(users, status, dry_run=True)
    assert states(status) == ["planned"] * 3
    assert undo(users, status) == would
    assert would.given_back == {"lapsed.com": 3}
    assert trusted() == set(LAPSED)
    assert states(status) == ["undone"] * 3
