"""Gives back verifications that a run took away, and keeps them from being taken again for the same lapse.

As when they were taken: the intent is recorded first, then carried out in the user database, then confirmed. An undo
that finds open intents of one that died goes on with them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row

from lapsewatch.core.errors import LapsewatchError
from lapsewatch.stages import intents
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import Standing, UserDatabase


class NothingToUndo(LapsewatchError):
    """Lapsewatch has taken no verification away by what was selected."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is undone: all that a run took, all that was taken under a registrable domain, or one address by its key."""

    run_id: str | None = None
    domain: str | None = None
    address_key: str | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in asdict(self).values()) != 1:
            raise ValueError("exactly one of run, domain and address is selected")


@dataclass(slots=True)
class Undone:
    """What an undo did or, in a dry run, would do.

    `given_back` counts addresses by domain, `given_back_before` those of earlier undos. `left_alone` counts, by domain,
    what somebody has changed since, and how.
    """

    pardoned_lapse_count: int = 0
    given_back_before: int = 0
    given_back: Counter[str] = field(default_factory=Counter)
    left_alone: defaultdict[str, Counter[Standing]] = field(default_factory=lambda: defaultdict(Counter))


def undo_unverifications(
    selection: Selection, why: str, by: str, users: UserDatabase, status: Engine, *, dry_run: bool
) -> Undone:
    """Verify again what was unverified, where nobody has changed the address since.

    A selected run or domain has its lapses pardoned: nobody is unverified for them any more. Of a selected address only
    its own lapses are settled. Undos go one after the other. Raises NothingToUndo.
    """
    undone = Undone()
    key = asdict(selection)
    with status.connect() as reading:
        if not dry_run:
            reading.execute(statement("lock_undo"))
        taken = reading.execute(statement("count_undoable_unverifications"), key).one()
        if not taken.address_count:
            raise NothingToUndo(_nothing(selection))
        undone.given_back_before = taken.undone_count
        undone.pardoned_lapse_count = _pardon(selection, why, by, users, status, dry_run)
        _record_intents(undone, key | {"why": why, "by": by}, users, status, reading, dry_run)
        if not dry_run:
            _carry_out(undone, key, users, status, reading)
    return undone


def _nothing(selection: Selection) -> str:
    if selection.run_id is not None:
        return "no run of that id has taken a verification away"
    if selection.domain is not None:
        return f"no address under {selection.domain} has lost its verification: to have it left alone, exempt it"
    return "no address of that key has lost its verification"


def _pardon(selection: Selection, why: str, by: str, users: UserDatabase, status: Engine, dry_run: bool) -> int:
    """Pardon the lapses of a run or domain; return how many.

    What a run has taken away just now, or before it died, is confirmed first, so that it is undone too; what it has not
    taken yet is given up.
    """
    with status.connect() as connection:
        if not dry_run:
            connection.execute(statement("lock_unverifications"))
            intents.reconcile(connection, users)
        pardoned = 0
        if selection.address_key is None:
            values = {"run_id": selection.run_id, "domain": selection.domain, "why": why, "by": by}
            pardoned = connection.execute(statement("pardon_lapses"), values).rowcount
        if not dry_run:
            connection.execute(statement("give_up_unverifications"))
            connection.commit()
    return pardoned


def _record_intents(
    undone: Undone, values: dict[str, Any], users: UserDatabase, status: Engine, reading: Connection, dry_run: bool
) -> None:
    """Record what is to be given back; a dry run only counts it, and what a dead undo has left."""
    for rows in _partitions(reading, values, ["unverified", "undoing"] if dry_run else ["unverified"]):
        standing, changed = [], []
        for row, found in zip(rows, users.standings(intents.judged(rows)), strict=True):
            if found is Standing.UNVERIFIED or (row.state == "undoing" and found is Standing.VERIFIED):
                standing.append(row)
            else:
                changed.append((row, found))
        _count(undone, standing if dry_run else [], changed)
        if not dry_run:
            with status.begin() as connection:
                connection.execute(statement("start_undoing"), values | {"addresses": json.dumps(_keys(standing))})


def _carry_out(
    undone: Undone, values: dict[str, Any], users: UserDatabase, status: Engine, reading: Connection
) -> None:
    """Carry out the open intents, a bounded transaction at a time; what is verified by now counts as given back."""
    for rows in _partitions(reading, values, ["undoing"]):
        given_back = users.reverify(intents.judged(rows))
        rest = [row for row in rows if row.address_key not in given_back]
        changed = [
            (row, found)
            for row, found in zip(rest, users.standings(intents.judged(rest)), strict=True)
            if found is not Standing.VERIFIED
        ]
        kept = {(row.address_key, row.lapsed_at) for row, _ in changed}
        done = [row for row in rows if (row.address_key, row.lapsed_at) not in kept]
        with status.begin() as connection:
            _settle(connection, done, [row for row, _ in changed])
        _count(undone, done, changed)


def _partitions(reading: Connection, values: dict[str, Any], states: list[str]) -> Iterator[Sequence[Row[Any]]]:
    result = reading.execute(
        statement("select_undoable_unverifications"),
        values | {"states": states},
        execution_options={"yield_per": intents.ADDRESSES_PER_TRANSACTION},
    )
    yield from result.partitions()


def _settle(connection: Connection, done: Sequence[Row[Any]], changed: Sequence[Row[Any]]) -> None:
    addresses = [address | {"is_undone": True} for address in _keys(done)]
    addresses += [address | {"is_undone": False} for address in _keys(changed)]
    connection.execute(statement("settle_undoing"), {"addresses": json.dumps(addresses)})
    connection.execute(statement("withdraw_notifications"), {"addresses": json.dumps(_keys(done))})


def _keys(rows: Sequence[Row[Any]]) -> list[dict[str, object]]:
    return [
        {"address_key": row.address_key, "domain": row.domain, "lapsed_at": row.lapsed_at.isoformat()} for row in rows
    ]


def _count(undone: Undone, done: Sequence[Row[Any]], changed: Sequence[tuple[Row[Any], Standing]]) -> None:
    # An address that two lapses took is one.
    undone.given_back.update(domain for domain, _ in {(row.domain, row.address_key) for row in done})
    for row, found in changed:
        undone.left_alone[row.domain][found] += 1
