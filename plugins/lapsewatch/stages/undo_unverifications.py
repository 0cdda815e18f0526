"""Gives back verifications that a run took away, and keeps them from being taken again for the same lapse.

As when they were taken: the intent is recorded first, then carried out in the user database, then confirmed. An undo
that finds open intents of one that died goes on with them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
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
    """What is undone: all that a run took, all that was taken under a registrable domain, or one address by its key.

    A run and a domain together are what the run took under the domain.
    """

    run_id: str | None = None
    domain: str | None = None
    address_key: str | None = None

    def __post_init__(self) -> None:
        if (self.run_id is None and self.domain is None) == (self.address_key is None):
            raise ValueError("a run, a domain, or both are selected, or else an address")


@dataclass(frozen=True, slots=True, order=True)
class Taking:
    """What one run took away for one lapse of a domain; `phase` is the stage of the registration when it lapsed."""

    domain: str
    lapsed_at: datetime
    phase: str
    run_id: str


@dataclass(slots=True)
class Undone:
    """What an undo did or, in a dry run, would do.

    `given_back` counts addresses by domain, `given_back_before` those of earlier undos. `given_up` counts, by domain,
    an address whose turn had not come yet. `left_alone` counts, by domain, what somebody has changed since, and how.
    `takings` counts what is given back by the run and lapse that took it; one with nothing to give back is there too.
    """

    pardoned_lapse_count: int = 0
    given_back_before: int = 0
    given_back: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    left_alone: defaultdict[str, Counter[Standing]] = field(default_factory=lambda: defaultdict(Counter))
    takings: Counter[Taking] = field(default_factory=Counter)


def undo_unverifications(
    selection: Selection, why: str, by: str, users: UserDatabase, status: Engine, *, dry_run: bool
) -> Undone:
    """Verify again what was unverified, where nobody has changed the address since.

    A selected run or domain has its lapses pardoned: nobody is unverified for them any more. Of a selected address only
    its own lapses are settled, also where its turn has not come yet. Undos go one after the other. Raises
    NothingToUndo.
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
        _pardon(undone, selection, why, by, users, status, dry_run)
        _record_intents(undone, key | {"why": why, "by": by}, users, status, reading, dry_run)
        if not dry_run:
            _carry_out(undone, key, users, status, reading)
    return undone


def _nothing(selection: Selection) -> str:
    if selection.run_id is not None:
        under = "" if selection.domain is None else f" under {selection.domain}"
        return f"no run of that id has taken a verification away{under}"
    if selection.domain is not None:
        return f"no address under {selection.domain} has lost its verification: to have it left alone, exempt it"
    return "no address of that key has lost its verification"


def _pardon(
    undone: Undone, selection: Selection, why: str, by: str, users: UserDatabase, status: Engine, dry_run: bool
) -> None:
    """Pardon the lapses of a run or domain.

    What a run has taken away just now, or before it died, is confirmed first, so that it is undone too; what it has not
    taken yet is given up.
    """
    with status.connect() as connection:
        if not dry_run:
            connection.execute(statement("lock_unverifications"))
            intents.reconcile(connection, users)
        if selection.address_key is None:
            values = {"run_id": selection.run_id, "domain": selection.domain, "why": why, "by": by}
            undone.pardoned_lapse_count = connection.execute(statement("pardon_lapses"), values).rowcount
        elif not dry_run:
            given_up = connection.execute(statement("give_up_address"), {"address_key": selection.address_key})
            undone.given_up.update(set(given_up.scalars()))
        if not dry_run:
            connection.execute(statement("give_up_unverifications"))
            connection.commit()


def _record_intents(
    undone: Undone, values: dict[str, Any], users: UserDatabase, status: Engine, reading: Connection, dry_run: bool
) -> None:
    """Record what is to be given back; a dry run only counts it, with what dead undos and dead runs have left."""
    states = ["awaiting", "planned", "unverified", "undoing"] if dry_run else ["unverified"]
    for rows in _partitions(reading, values, states):
        taken = _taken(undone, rows, users, values) if dry_run else rows
        standing, changed = [], []
        for row, found in zip(taken, users.standings(intents.judged(taken)), strict=True):
            if found is Standing.UNVERIFIED or (row.state == "undoing" and found is Standing.VERIFIED):
                standing.append(row)
            else:
                changed.append((row, found))
        _count(undone, standing if dry_run else [], changed)
        if not dry_run:
            with status.begin() as connection:
                connection.execute(statement("start_undoing"), values | {"addresses": json.dumps(_keys(standing))})


def _taken(undone: Undone, rows: Sequence[Row[Any]], users: UserDatabase, values: dict[str, Any]) -> Sequence[Row[Any]]:
    """Leave out the rows whose turn has not come, which only the user database can tell where a run has died.

    Of a selected address they would be given up.
    """
    planned = [row for row in rows if row.state == "planned"]
    carried_out = users.unverified(intents.judged(planned))
    open_ = {
        _key(row)
        for row in rows
        if row.state == "awaiting" or (row.state == "planned" and row.address_key not in carried_out)
    }
    if values["address_key"] is not None:
        undone.given_up.update({domain for _, domain, _ in open_})
    return [row for row in rows if _key(row) not in open_]


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
        with status.begin() as connection:
            # Taken anew meanwhile, it had been given back, by this undo before it died or by its user.
            _settle(connection, rows, but=[row for row, _ in changed if row.verified_again_by is None])
        others = {_key(row) for row, _ in changed}
        _count(undone, [row for row in rows if _key(row) not in others], changed)


def _partitions(reading: Connection, values: dict[str, Any], states: list[str]) -> Iterator[Sequence[Row[Any]]]:
    result = reading.execute(
        statement("select_undoable_unverifications"),
        values | {"states": states},
        execution_options={"yield_per": intents.ADDRESSES_PER_TRANSACTION},
    )
    yield from result.partitions()


def _settle(connection: Connection, rows: Sequence[Row[Any]], but: Sequence[Row[Any]]) -> None:
    """Confirm intents as carried out, but for some that were not."""
    others = {_key(row) for row in but}
    done = [row for row in rows if _key(row) not in others]
    addresses = [
        address | {"is_undone": True, "undone_at": row.verified_again_by and row.verified_again_by.isoformat()}
        for address, row in zip(_keys(done), done, strict=True)
    ]
    addresses += [address | {"is_undone": False, "undone_at": None} for address in _keys(but)]
    connection.execute(statement("settle_undoing"), {"addresses": json.dumps(addresses)})
    connection.execute(statement("withdraw_notifications"), {"addresses": json.dumps(_keys(done))})


def _key(row: Row[Any]) -> tuple[str, str, datetime]:
    return row.address_key, row.domain, row.lapsed_at


def _keys(rows: Sequence[Row[Any]]) -> list[dict[str, object]]:
    return [
        {"address_key": row.address_key, "domain": row.domain, "lapsed_at": row.lapsed_at.isoformat()} for row in rows
    ]


def _count(undone: Undone, done: Sequence[Row[Any]], changed: Sequence[tuple[Row[Any], Standing]]) -> None:
    # An address that two lapses took is one.
    undone.given_back.update(domain for domain, _ in {(row.domain, row.address_key) for row in done})
    undone.takings.update(_taking(row) for row in done)
    for row, found in changed:
        undone.left_alone[row.domain][found] += 1
        undone.takings[_taking(row)] += 0


def _taking(row: Row[Any]) -> Taking:
    return Taking(row.domain, row.lapsed_at, row.phase, row.run_id)
