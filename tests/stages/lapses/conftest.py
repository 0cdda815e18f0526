"""What the tests of lapses share: three addresses on one domain, and days lived through."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.conftest import confirm_address
from tests.stages.conftest import RUN, Check, Row, plan_and_unverify, rows

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def registered(at: datetime, *status: str) -> RdapReading:
    return RdapReading(RdapOutcome.FOUND, status or ("active",), registered_at=at, expires_at=NOW + 300 * DAY)


@pytest.fixture(autouse=True)
def population(add_addresses: Callable[..., None]) -> None:
    add_addresses("old@one.com", "new@one.com", "unknown@one.com")


@pytest.fixture
def verify(user_url: str) -> Callable[[str, datetime], None]:
    """Confirms an address as its user does."""
    return partial(confirm_address, user_url)


@pytest.fixture
def day(status: Engine, users: UserDatabase, check: Check) -> Callable[..., Run]:
    """Live through a day: what the status API and the registry say, published, and acted upon."""

    def live(number: int, told: str | NoEvidenceReason, record: RdapReading | None = None, **params: object) -> Run:
        run = replace(RUN, run_id=f"day{number}", as_of=RUN.as_of + number * DAY, clock=lambda: NOW + number * DAY)
        records = {"one.com": record} if record else None
        run = check({"one.com": told}, run, records=records, scope="all", **params)
        store_domain_status(run, status)
        plan_and_unverify(run, users, status)
        return run

    return live


def lapses(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.domain_lapse order by lapsed_at")


def known(status: Engine) -> Row:
    [row] = rows(status, "select * from lapsewatch.domain_status")
    return row


def unverified(user_url: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select email from user_emails where not verified").fetchall()
    return {email.partition("@")[0] for (email,) in found}


Day = Callable[..., Run]
Verify = Callable[[str, datetime], None]
