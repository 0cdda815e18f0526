"""Plans whose verification goes, or, in a dry run, says whose it would be; and asks a person where that is too much.

Candidates are written down first, then weighed against the run's limits. Within them they become intents, which
`unverify_emails` carries out. Above them nobody is touched: they await the answer to a question, or are named in one
that is open already.
"""

import json
import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from lapsewatch.core.breaker import Exceeded, Tally, exceeded, suspicion
from lapsewatch.core.lifecycle import Witness
from lapsewatch.core.policy import MAX_EVIDENCE_AGE, changed_hands_reason
from lapsewatch.stages.intents import reconcile
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import copy_rows, statement
from lapsewatch.user_databases.database import SuspectHost, UserDatabase

log = logging.getLogger(__name__)

HOSTS_PER_LOOKUP = 10_000
LIMITS_LOGGED = 10


def plan_unverifications(run: Run, users: UserDatabase, status: Engine) -> Counts:
    """Plan for the addresses whose domain has lapsed on fresh evidence, each at most once for a lapse.

    All in one transaction, and one run after the other. The count `question_count` is 1 where a person is asked.
    """
    now = run.clock()
    inferred = _infer_lapses(run, users, status)
    key = {"run_id": run.run_id}
    with status.begin() as connection:
        connection.execute(statement("lock_unverifications"))
        reconciled = reconcile(connection, users)
        _clear_away(connection, run, now)
        exempt = _record_candidates(connection, run, users, now)
        counts: Counts = {
            "reconciled_count": reconciled,
            "inferred_lapse_count": inferred,
            "candidate_count": connection.scalar(statement("count_candidates"), key | {"dry_run": run.dry_run}),
            "exempt_count": exempt,
            "approved_count": connection.execute(statement("plan_approved_unverifications"), key).rowcount,
            "rejected_count": (
                connection.execute(statement("reject_asked_unverifications"), key).rowcount if run.is_backfill else 0
            ),
            "question_count": 0,
        }
        limits = _exceeded_limits(connection, run, now)
        if limits and not run.dry_run:
            counts["question_count"] = _ask(connection, run, limits, now)
        elif not run.dry_run:
            connection.execute(statement("plan_awaiting_unverifications"), key)
        awaiting = connection.scalar(statement("count_unverifications"), key | {"state": "awaiting"})
    log.info("Planned: %s", counts)
    _warn(counts, limits, awaiting)
    return counts | {"exceeded": [limit.as_json() for limit in limits]}


def _clear_away(connection: Connection, run: Run, now: datetime) -> None:
    """Give up what is no longer to be done, by whichever run it was meant."""
    key = {"run_id": run.run_id}
    connection.execute(statement("give_up_unverifications"))
    connection.execute(statement("give_up_stale_unverifications"), {"evidence_since": now - MAX_EVIDENCE_AGE})
    connection.execute(statement("delete_open_question"), key)
    connection.execute(statement("close_expired_questions"), {"now": now})
    connection.execute(statement("reject_unanswered_unverifications"))
    if run.dry_run:
        connection.execute(statement("reject_unverifications_of_run"), key)


def _warn(counts: Counts, limits: Sequence[Exceeded], awaiting: int) -> None:
    for limit in limits[:LIMITS_LOGGED]:
        log.warning("Above a limit: %s", limit.in_words())
    if len(limits) > LIMITS_LOGGED:
        log.warning("Above %s limits more", len(limits) - LIMITS_LOGGED)
    if awaiting and not counts["question_count"]:
        log.warning("%s addresses await the answer to another run's question: they are left to it", awaiting)
    if counts["rejected_count"]:
        log.warning(
            "%s addresses were not approved in a backfill before: a dry run that names them has them asked about again",
            counts["rejected_count"],
        )


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


def _record_candidates(connection: Connection, run: Run, users: UserDatabase, now: datetime) -> int:
    """Write down whose verification is to go; return how many would be among them, were they not exempt.

    Hosts go to the user database a page at a time, and what it finds on them comes back as a stream.
    """
    values = {
        "evidence_since": now - MAX_EVIDENCE_AGE,
        "scope": run.scope,
        "policy": run.policy.value,
        "domains": run.listed_domains(),
    }
    connection.execute(statement("create_lapsed_host"))
    connection.execute(statement("create_found_address"))
    connection.execute(statement("insert_lapsed_hosts"), values)
    page = {"after": "", "most": HOSTS_PER_LOOKUP}
    while hosts := connection.execute(statement("select_suspect_hosts"), page).all():
        suspects = [SuspectHost(row.host, row.verified_before, row.unknown_too) for row in hosts]
        found = users.addresses_on(suspects)
        copy_rows(connection, "copy_found_address", ((row.address_key, row.host, row.verified_at) for row in found))
        page["after"] = hosts[-1].host
    connection.execute(statement("create_touched_address"))
    # They are new to the planner, which would take them for a few.
    connection.execute(statement("analyze_touched"))
    exempt: int = connection.scalar(statement("count_exempt_addresses"))
    key = {"run_id": run.run_id, "dry_run": run.dry_run, "now": now}
    connection.execute(statement("insert_unverifications"), key)
    return exempt


def _exceeded_limits(connection: Connection, run: Run, now: datetime) -> list[Exceeded]:
    """Weigh the candidates that no person has judged yet: all together first, then by top-level domain.

    A backfill is weighed as a whole, with all that dry runs have named.
    """
    values = {
        "run_id": run.run_id,
        "state": "dry_run" if run.dry_run else "awaiting",
        "with_dry_runs": run.is_backfill and not run.dry_run,
        "policy": run.policy.value,
        "as_of": run.as_of,
        "now": now,
        "evidence_since": now - MAX_EVIDENCE_AGE,
    }
    connection.execute(statement("create_candidate_to_weigh"))
    connection.execute(statement("insert_candidates_to_weigh"), values)
    # All of them are new to the planner, which would take them for a few.
    connection.execute(statement("analyze_candidates"))
    tallies = [Tally(**row) for row in connection.execute(statement("select_candidate_tallies"), values).mappings()]
    limits_of = {True: run.limits, False: run.tld_limits}
    return [limit for tally in tallies for limit in exceeded(tally, limits_of[tally.tld is None])]


def _ask(connection: Connection, run: Run, limits: Sequence[Exceeded], now: datetime) -> int:
    """Write the question down; return 1. Its text is made where it is asked."""
    lapses = connection.execute(statement("select_lapses_to_ask")).all()
    tlds = {limit.tld for limit in limits}
    asked = [
        {
            "domain": row.domain,
            "lapsed_at": row.lapsed_at.isoformat(),
            "address_count": row.address_count,
            "suspicion": suspicion([Witness(name) for name in row.witnesses], is_tld_exceeded=row.tld in tlds),
        }
        for row in lapses
    ]
    question = {
        "run_id": run.run_id,
        "asked_at": now,
        "expires_at": now + run.approval_timeout,
        "covers": "dry_runs" if run.is_backfill else "run",
        "exceeded": json.dumps([limit.as_json() for limit in limits]),
        "lapses": json.dumps(asked),
    }
    connection.execute(statement("insert_question"), question)
    connection.execute(statement("analyze_question"))
    return 1
