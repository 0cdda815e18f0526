"""Takes away the verification of addresses on lapsed domains, or, in a dry run, says whose it would be.

Two databases have to agree although either may fail: the intent is recorded first, then carried out in the user
database, then confirmed. An attempt that finds an open intent asks the user database whether it was carried out.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row

from lapsewatch.core.errors import RunStopped
from lapsewatch.core.policy import MAX_EVIDENCE_AGE, changed_hands_reason
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import JudgedAddress, SuspectHost, UserDatabase

log = logging.getLogger(__name__)

HOSTS_PER_LOOKUP = 10_000
ADDRESSES_PER_TRANSACTION = 1_000


def unverify_emails(run: Run, users: UserDatabase, status: Engine) -> Counts:
    """Unverify the addresses whose domain has lapsed on fresh evidence, each at most once for a lapse.

    Raises RunStopped, with nothing recorded or changed, where they are more than `max_unverifications`; a dry run
    only warns.
    """
    now = run.clock()
    counts: Counts = {
        "reconciled_count": _reconcile(users, status),
        "inferred_lapse_count": _infer_lapses(run, users, status),
        "candidate_count": _record_intents(run, users, status, now),
    }
    if not run.dry_run:
        unverified, skipped = _carry_out(run, users, status, now)
        counts |= {"unverified_count": unverified, "skipped_count": skipped}
    log.info("%s: %s", "Dry run, nothing is changed" if run.dry_run else "Unverified", counts)
    return counts


def _reconcile(users: UserDatabase, status: Engine) -> int:
    """Confirm what a dead attempt carried out but could not record; give up intents whose lapse has ended."""
    reconciled = 0
    with status.begin() as connection:
        rows = connection.execute(statement("select_open_unverifications")).all()
        for start in range(0, len(rows), ADDRESSES_PER_TRANSACTION):
            chunk = rows[start : start + ADDRESSES_PER_TRANSACTION]
            done = users.unverified(_judged(chunk))
            _settle(connection, [row for row in chunk if row.address_key in done], done)
            reconciled += len(done)
        connection.execute(statement("skip_ended_lapses"))
    return reconciled


def _infer_lapses(run: Run, users: UserDatabase, status: Engine) -> int:
    """Open a lapse for each registration that is later than the verification of an address under it.

    Nobody saw such a domain lapse; still, whoever holds it now is not who verified the address. Each registration is
    compared once.
    """
    inferred = 0
    with status.begin() as connection, status.connect() as reading:
        streamed = reading.execution_options(stream_results=True, yield_per=HOSTS_PER_LOOKUP)
        for hosts in streamed.execute(statement("select_unexamined_registrations")).partitions():
            made = {row.host: row for row in hosts}
            suspects = [SuspectHost(row.host, row.registered_at, unknown_too=False) for row in hosts]
            older = {made[found.host].domain for found in users.addresses_on(suspects)}
            compared = {row.domain: row.registered_at for row in hosts}
            domains = [
                {
                    "domain": domain,
                    "registered_at": registered_at.isoformat(),
                    "reason": changed_hands_reason(registered_at),
                }
                for domain, registered_at in compared.items()
            ]
            lapsed = [row for row in domains if row["domain"] in older]
            values = {"domains": json.dumps(lapsed), "run_id": run.run_id, "due_at": run.as_of}
            inferred += connection.execute(statement("infer_lapses"), values).rowcount
            connection.execute(statement("mark_registrations_examined"), {"domains": json.dumps(domains)})
    return inferred


def _record_intents(run: Run, users: UserDatabase, status: Engine, now: datetime) -> int:
    """Record whose verification is to go, all or none; return how many they are."""
    with status.begin() as connection, status.connect() as reading:
        values = {
            "evidence_since": now - MAX_EVIDENCE_AGE,
            "scope": run.scope,
            "policy": run.policy.value,
            "domains": run.listed_domains(),
        }
        streamed = reading.execution_options(stream_results=True, yield_per=HOSTS_PER_LOOKUP)
        for lapsed in streamed.execute(statement("select_lapsed_hosts"), values).partitions():
            _record_addresses(connection, run, users, lapsed, now)
        key = {"run_id": run.run_id, "dry_run": run.dry_run}
        candidates: int = connection.execute(statement("count_candidates"), key).scalar_one()
        if candidates > run.max_unverifications:
            trouble = f"{candidates} addresses are to be unverified, the limit is {run.max_unverifications}"
            if not run.dry_run:
                raise RunStopped(
                    f"nobody is unverified: {trouble}. Look at a dry run, then run again with a higher"
                    " 'max_unverifications'"
                )
            log.warning("A real run would stop here: %s", trouble)
    return candidates


def _record_addresses(
    connection: Connection, run: Run, users: UserDatabase, lapsed: Sequence[Row[Any]], now: datetime
) -> None:
    lapses_of: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in lapsed:
        lapses_of[row.host].append(row)
    # The newest lapse spares the fewest: what it leaves aside, the older ones leave aside too.
    suspects = [
        SuspectHost(
            host,
            verified_before=max(lapse.began_at for lapse in lapses),
            unknown_too=any(lapse.kind == "observed" for lapse in lapses),
        )
        for host, lapses in lapses_of.items()
    ]
    addresses = [
        {
            "address_key": found.address_key,
            "host": found.host,
            "verified_at": found.verified_at.isoformat() if found.verified_at else None,
            "domain": lapse.domain,
            "lapsed_at": lapse.lapsed_at.isoformat(),
            "reason": lapse.reason,
            "evidence": lapse.evidence,
        }
        for found in users.addresses_on(suspects)
        for lapse in lapses_of[found.host]
        if _is_touched_by(lapse, found.verified_at)
    ]
    values = {"addresses": json.dumps(addresses), "run_id": run.run_id, "dry_run": run.dry_run, "now": now}
    connection.execute(statement("insert_unverifications"), values)


def _is_touched_by(lapse: Row[Any], verified_at: datetime | None) -> bool:
    """Tell whether a lapse ends the trust in an address: not where it was verified since, by a quicker owner."""
    if verified_at is None:
        # Seen to lapse, the domain is no longer the owner's, whenever the address was verified; to infer takes a date.
        return bool(lapse.kind == "observed")
    return bool(verified_at < lapse.began_at)


def _carry_out(run: Run, users: UserDatabase, status: Engine, now: datetime) -> tuple[int, int]:
    """Carry out the run's intents, a bounded transaction at a time; return how many took effect and how many not."""
    unverified = skipped = 0
    values = {
        "run_id": run.run_id,
        "policy": run.policy.value,
        "most": ADDRESSES_PER_TRANSACTION,
        "evidence_since": now - MAX_EVIDENCE_AGE,
    }
    while True:
        with status.begin() as connection:
            rows = connection.execute(statement("select_planned_unverifications"), values).all()
            if not rows:
                return unverified, skipped
            done = users.unverify(_judged(rows))
            _settle(connection, rows, done)
        unverified += len(done)
        skipped += len(rows) - len(done)


def _settle(connection: Connection, rows: Sequence[Row[Any]], done: set[str]) -> None:
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


def _judged(rows: Sequence[Row[Any]]) -> list[JudgedAddress]:
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
