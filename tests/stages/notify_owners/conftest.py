"""What the tests of notifications share: days lived through, what the outbox holds, and a receiver."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from lapsewatch.clients.webhook import NotDelivered
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.status_database.journal import Counts
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, Check, Row, plan_and_unverify, rows

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)
LAPSED = "undelegated active expiring"
EXPIRED = RdapReading(
    RdapOutcome.FOUND, ("auto renew period",), registered_at=LONG_AGO, expires_at=NOW + 300 * DAY, registrar="Acme"
)
NONE: Counts = {"address_unverified": 0, "domain_expiring": 0, "single_address": 0}
Live = Callable[..., Run]


@pytest.fixture
def live(status: Engine, users: UserDatabase, check: Check) -> Live:
    """Live through a day: what the witnesses say is published and acted upon; nobody is told yet."""

    def day(number: int, told: dict[str, str | NoEvidenceReason], **records: RdapReading) -> Run:
        run = replace(RUN, run_id=f"day{number}", as_of=RUN.as_of + number * DAY, clock=lambda: NOW + number * DAY)
        readings = {name.replace("_", "."): record for name, record in records.items()}
        run = check(told, run, records=readings, scope="all")
        store_domain_status(run, status)
        plan_and_unverify(run, users, status)
        return run

    return day


@pytest.fixture
def key_of(user_url: str) -> Callable[[str], str]:
    """The key of an address."""

    def key(email: str) -> str:
        with psycopg.connect(user_url) as connection:
            [found] = connection.execute("select id from user_emails where email = %s", [email]).fetchone()
        return str(found)

    return key


KeyOf = Callable[[str], str]


def outbox(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.notification order by kind, created_at, event_key")


def change(status: Engine, statement: str, **values: object) -> None:
    with status.begin() as connection:
        connection.execute(text(statement), values)


def recipients(status: Engine) -> dict[str, list[str]]:
    return {row["payload"]["address_key"]: row["payload"]["recipients"] for row in outbox(status)}


RENEWED = RdapReading(RdapOutcome.FOUND, ("active",), registered_at=LONG_AGO)
REDEMPTION = RdapReading(RdapOutcome.FOUND, ("redemption period",), registered_at=LONG_AGO)
Delivered = list[tuple[str, list[str]]]


def delivered(run: Run, users: UserDatabase, status: Engine) -> Delivered:
    """Deliver what is unsent; return what kind went to whom, by address keys."""
    receiver = Receiver()
    notify_owners(run, users, status, receiver)
    return [(message["type"], message["data"]["recipients"]) for _, message in receiver.taken]


def account_at_risk(status: Engine, account_key: str, domain: str = "risky.com", **known: object) -> None:
    values = {"has_second_factor": None, "owned_count": None, "owns_popular": None, "seen_at": NOW, "phase": "active"}
    change(
        status,
        "insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at, phase)"
        " values (:domain, :seen_at, :seen_at, :phase) on conflict do nothing",
        **values | known | {"domain": domain},
    )
    change(
        status,
        "insert into lapsewatch.account_at_risk values (:account_key, :address_key, :domain, :domain,"
        " :has_second_factor, :owned_count, :owns_popular, :seen_at) on conflict do nothing",
        **values | known | {"domain": domain, "account_key": account_key, "address_key": f"{account_key}-address"},
    )


@pytest.fixture
def calm() -> Run:
    """A run in which nothing has happened."""
    return replace(RUN, clock=lambda: NOW)


class Receiver:
    """A webhook that takes everything, or fails as told: an error for each notification's kind, or for all."""

    def __init__(self, *errors: str | None) -> None:
        self.errors = list(errors)
        self.taken: list[tuple[str, dict[str, object]]] = []
        self.asked: list[str] = []

    def deliver(self, notification_id: str, body: bytes) -> None:
        self.asked.append(notification_id)
        error = self.errors.pop(0) if len(self.errors) > 1 else self.errors[0] if self.errors else None
        if error:
            raise NotDelivered(error, is_transient=True)
        self.taken.append((notification_id, json.loads(body)))
