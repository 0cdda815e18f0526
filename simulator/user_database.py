"""Creates a user database in PyPI's schema and fills it from the world.

The schema is a subset of warehouse's: three tables, with the columns that e-mail addresses need.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from simulator.user_base import Account
from simulator.world import World

CREATE_USER_DATABASE = Path(__file__).parent / "sql" / "create_user_database.sql"


@dataclass(frozen=True)
class Seeded:
    """How many rows a user database was filled with, and how many of its addresses are verified."""

    accounts: int
    addresses: int
    verified_addresses: int
    events: int


def seed(database_url: str, world: World) -> Seeded:
    """Drops the three tables and their type, creates them anew and fills them, in one transaction.

    `database_url` is libpq's. Nothing else in the database is touched. psycopg.Error when it cannot be done.
    """
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE_USER_DATABASE.read_bytes())
        accounts = _copy(
            cursor,
            "COPY public.users (id, username, name, is_active, date_joined) FROM STDIN",
            (
                (
                    _id_of(account),
                    account.username,
                    account.name,
                    account.is_active,
                    _in_utc(account.joined_at),
                )
                for account in world.accounts
            ),
        )
        addresses = _copy(
            cursor,
            'COPY public.user_emails (user_id, email, "primary", verified, public, unverify_reason) FROM STDIN',
            (row for account in world.accounts for row in _address_rows(account)),
        )
        events = _copy(
            cursor,
            "COPY public.user_events (source_id, tag, time, additional) FROM STDIN",
            (row for account in world.accounts for row in _event_rows(account, world.events_since)),
        )
        # COPY leaves no statistics behind, and the first query should already be planned well.
        cursor.execute("ANALYZE public.users, public.user_emails, public.user_events")
    verified = sum(address.verified for account in world.accounts for address in account.addresses)
    return Seeded(accounts, addresses, verified, events)


def _copy(cursor: psycopg.Cursor[Any], statement: LiteralString, rows: Iterable[tuple[Any, ...]]) -> int:
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
    return cursor.rowcount


def _address_rows(account: Account) -> Iterator[tuple[Any, ...]]:
    for position, address in enumerate(account.addresses):
        primary = position == 0
        yield (
            _id_of(account),
            address.email,
            primary,
            address.verified,
            address.public,
            address.unverify_reason,
        )


def _event_rows(account: Account, since: datetime) -> Iterator[tuple[Any, ...]]:
    """The adding and the verification of each address, as far back as events reach."""
    for position, address in enumerate(account.addresses):
        at = address.verified_at
        if at is None or at < since:
            continue
        user = _id_of(account)
        yield (
            user,
            "account:email:add",
            _in_utc(at - timedelta(minutes=5)),
            json.dumps({"email": address.email}),
        )
        additional = json.dumps({"email": address.email, "primary": position == 0})
        yield user, "account:email:verified", _in_utc(at), additional


def _id_of(account: Account) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"lapsewatch-simulator/users/{account.username}")


def _in_utc(instant: datetime) -> datetime:
    """The UTC wall time, without zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)
