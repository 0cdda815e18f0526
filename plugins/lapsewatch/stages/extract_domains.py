"""Reads the hosts behind verified addresses and adds the registrable domains that are new."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from sqlalchemy import Engine

from lapsewatch.core.cadence import cohort_of_day
from lapsewatch.core.domains import SetAside, classify_host
from lapsewatch.stages.extractions import record_extraction, shared_extraction
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import copy_rows, statement
from lapsewatch.user_databases.database import UserDatabase

log = logging.getLogger(__name__)


def extract_domains(run: Run, users: UserDatabase, status: Engine) -> Counts:
    """Stream hosts and counts, set well-known providers and malformed addresses aside, merge the rest.

    One transaction: a run that dies here has changed nothing. The runs of a backfill share an extraction of the day.
    """
    tally: Counter[str] = Counter()
    set_aside: Counter[str] = Counter()
    with status.begin() as connection:
        if shared := shared_extraction(connection, run, "domains"):
            return shared
        connection.execute(statement("create_extracted_host"))
        copy_rows(connection, "copy_extracted_host", _custom_hosts(users, tally, set_aside))
        connection.execute(statement("allow_sorting_in_memory"))
        connection.execute(statement("create_extracted_domain"))
        # All of them are new to the planner, which would take them for a few.
        connection.execute(statement("analyze_extracted"))
        now = run.clock()
        when = {"now": now, "as_of": run.as_of, **_base(run.day, now)}
        new = connection.execute(statement("insert_new_domains"), when)
        connection.execute(statement("update_changed_hosts"), {"now": now})
        connection.execute(statement("insert_new_hosts"), {"now": now})
        connection.execute(statement("empty_vanished_hosts"))
        connection.execute(statement("update_address_counts"))
        counts: Counts = {
            "address_count": tally["addresses"],
            "provider_address_count": tally["provider_addresses"],
            "set_aside_count": set_aside.total(),
            "set_aside": dict(set_aside),
            "host_count": tally["hosts"],
            "domain_count": connection.scalar(statement("count_extracted_domains")),
            "new_domain_count": new.rowcount,
        }
        record_extraction(connection, run, "domains", counts)
    log.info("Extracted: %s", counts)
    return counts


def _base(day: date, now: datetime) -> dict[str, object]:
    """Return the day from which the first extraction spreads its domains; where the run's own is over, it is today."""
    day = max(day, now.astimezone(UTC).date())
    return {"day": datetime.combine(day, time(), UTC), "cohort": cohort_of_day(day)}


def _custom_hosts(users: UserDatabase, tally: Counter[str], set_aside: Counter[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (host, registrable domain, addresses) for custom domains; count everything on the way."""
    for found in users.hosts():
        tally["addresses"] += found.address_count
        kind = classify_host(found.host, at_sign_count=found.at_sign_count, is_quoted=found.is_quoted)
        if isinstance(kind, SetAside):
            set_aside[kind.value] += found.address_count
        elif kind.is_provider:
            tally["provider_addresses"] += found.address_count
        elif found.host is not None:
            tally["hosts"] += 1
            yield found.host, kind.domain, found.address_count
