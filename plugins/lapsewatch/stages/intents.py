"""Intents to unverify: what is to happen in the user database, written down before it does.

Two databases have to agree although either may fail: the intent is recorded first, then carried out in the user
database, then confirmed. Whoever finds an open intent asks the user database whether it was carried out.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import JudgedAddress, UserDatabase

ADDRESSES_PER_TRANSACTION = 1_000


def reconcile(connection: Connection, users: UserDatabase) -> int:
    """Confirm what dead attempts carried out but could not record; return how many addresses that were.

    The open intents stay locked until the end of the connection's transaction: nobody carries them out meanwhile.
    """
    reconciled = 0
    some_at_a_time = {"stream_results": True, "yield_per": ADDRESSES_PER_TRANSACTION}
    rows = connection.execute(statement("select_open_unverifications"), execution_options=some_at_a_time)
    for chunk in rows.partitions():
        done = users.unverified(judged(chunk))
        _settle(connection, [row for row in chunk if row.address_key in done], done)
        reconciled += len(done)
    return reconciled


def carry_out(connection: Connection, users: UserDatabase, rows: Sequence[Row[Any]]) -> int:
    """Carry out intents that the connection's transaction has locked, and confirm them; return how many took effect.

    Those that an attempt before this one carried out, and died, count like the others.
    """
    addresses = judged(rows)
    done = users.unverified(addresses) | users.unverify(addresses)
    _settle(connection, rows, done)
    return len(done)


def _settle(connection: Connection, rows: Sequence[Row[Any]], done: set[str]) -> None:
    """Confirm intents: those that took effect, by their keys, and the others as skipped."""
    addresses = [
        {
            "address_key": row.address_key,
            "domain": row.domain,
            "lapsed_at": row.lapsed_at.isoformat(),
            "unverified": row.address_key in done,
        }
        for row in rows
    ]
    connection.execute(statement("settle_unverifications"), {"addresses": json.dumps(addresses)})


def judged(rows: Sequence[Row[Any]]) -> list[JudgedAddress]:
    """Return what the user database has to know of intents."""
    return [
        JudgedAddress(
            address_key=row.address_key,
            host=row.host,
            verified_at=row.verified_at,
            checked_at=datetime.fromisoformat(row.evidence["checked_at"]),
            flags=tuple(row.evidence.get("flags", ())),
        )
        for row in rows
    ]
