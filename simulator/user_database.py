"""Creates a user database in PyPI's schema and fills it from the world.

The schema is a subset of warehouse's: the tables and columns that tell of e-mail addresses, and what depends on them.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from simulator.user_base import Account, Project
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
    """Drops the tables and their type, creates them anew and fills them, in one transaction.

    `database_url` is libpq's. Views on the tables go with them; nothing else in the database is touched. psycopg.Error
    when it cannot be done.
    """
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE_USER_DATABASE.read_bytes())
        accounts = _copy(
            cursor,
            "COPY public.users (id, username, name, is_active, date_joined, totp_secret) FROM STDIN",
            (
                (
                    _id_of(account),
                    account.username,
                    account.name,
                    account.is_active,
                    _in_utc(account.joined_at),
                    _secret_of(account) if account.second_factor == "one-time passwords" else None,
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
        _copy(
            cursor,
            "COPY public.user_security_keys (user_id, label, credential_id) FROM STDIN",
            (
                (_id_of(account), "a key", _secret_of(account).hex())
                for account in world.accounts
                if account.second_factor == "security key"
            ),
        )
        _copy(
            cursor,
            "COPY public.projects (id, name, normalized_name) FROM STDIN",
            ((_id_of(project), project.name, project.name) for account in world.accounts for project in account.owns),
        )
        _copy(
            cursor,
            "COPY public.roles (role_name, user_id, project_id) FROM STDIN",
            (
                (role, _id_of(account), _id_of(project))
                for account in world.accounts
                for role, projects in (("Owner", account.owns), ("Maintainer", account.maintains))
                for project in projects
            ),
        )
        # COPY leaves no statistics behind, and the first query should already be planned well.
        cursor.execute(
            "ANALYZE public.users, public.user_emails, public.user_events, public.user_security_keys,"
            " public.projects, public.roles"
        )
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


def _id_of(what: Account | Project) -> uuid.UUID:
    path = f"users/{what.username}" if isinstance(what, Account) else f"projects/{what.name}"
    return uuid.uuid5(uuid.NAMESPACE_URL, f"lapsewatch-simulator/{path}")


def _secret_of(account: Account) -> bytes:
    return uuid.uuid5(_id_of(account), "second factor").bytes


def _in_utc(instant: datetime) -> datetime:
    """The UTC wall time, without zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)
