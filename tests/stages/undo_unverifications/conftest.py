"""What the tests of undoing share: a run that has taken four verifications, and who is trusted after it."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection, Undone, undo_unverifications
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import AS_OF, Check, Row, plan_and_unverify, rows

LAPSED = ["a@lapsed.com", "b@lapsed.com", "c@mail.lapsed.com"]
GONE = ["d@gone.org"]
EXPIRING = {"lapsed.com": "undelegated active expiring", "gone.org": "undelegated inactive"}
THE_RUN = Selection(run_id="first")
Trusted = Callable[[], set[str]]


@pytest.fixture
def run(add_addresses: Callable[..., None], users: UserDatabase, status: Engine, check: Check) -> Run:
    """A run that has unverified four addresses on two domains."""
    add_addresses(*LAPSED, *GONE, "e@alive.com")
    lapsed = check(EXPIRING)
    store_domain_status(lapsed, status)
    assert plan_and_unverify(lapsed, users, status)["unverified_count"] == 4
    return lapsed


@pytest.fixture
def trusted(user_url: str) -> Trusted:
    """Returns whose address is verified now."""

    def read() -> set[str]:
        with psycopg.connect(user_url) as connection:
            return {email for (email,) in connection.execute("select email from user_emails where verified")}

    return read


def undo(users: UserDatabase, status: Engine, selection: Selection = THE_RUN, *, dry_run: bool = False) -> Undone:
    return undo_unverifications(selection, "an outage", "carol", users, status, dry_run=dry_run)


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)


def unverifications(status: Engine) -> list[Row]:
    return rows(
        status,
        "select address_key, domain, run_id, state, undone_by, undone_why, undone_at is not null as is_dated"
        " from lapsewatch.address_unverification order by address_key, domain, lapsed_at",
    )


def states(status: Engine) -> list[str]:
    return [row["state"] for row in unverifications(status)]


def pardoned(status: Engine) -> dict[str, tuple[str, str]]:
    found = rows(status, "select * from lapsewatch.domain_lapse where pardoned_at is not null")
    return {row["domain"]: (row["pardoned_by"], row["pardoned_why"]) for row in found}


def next_run(check: Check, users: UserDatabase, status: Engine, run_id: str = "next", days: int = 1) -> Run:
    tomorrow = check(EXPIRING, run_id=run_id, as_of=AS_OF + timedelta(days=days), scope="all")
    store_domain_status(tomorrow, status)
    plan_and_unverify(tomorrow, users, status)
    return tomorrow
