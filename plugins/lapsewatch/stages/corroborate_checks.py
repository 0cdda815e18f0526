"""Asks second witnesses, the registry and DNS, about the run's doubtful domains, and decides on all that is known."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import chain, islice, zip_longest
from typing import Any

from sqlalchemy import Engine, Row

from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.case_json import as_json, read_history
from lapsewatch.core.evidence import Flag, NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.lifecycle import Case
from lapsewatch.core.questions import wants_dns, wants_registry
from lapsewatch.stages.decisions import decision_columns
from lapsewatch.stages.run import Run
from lapsewatch.status_database.journal import Counts
from lapsewatch.status_database.statements import statement

log = logging.getLogger(__name__)

IN_FLIGHT = 16
"""Domains asked about at once: more than any server allows, so that a slow one does not hold up the others."""

ANSWERS_PER_WRITE = 50
HOSTS_PER_DOMAIN = 3
"""Mail is gone from a domain when none of its hosts with the most addresses takes any."""


def corroborate_checks(run: Run, witnesses: Witnesses, status: Engine) -> Counts:
    """Ask about each domain that wants it, doubt before dates, within the run's budget of questions to registries.

    Beyond the budget DNS is asked where it could settle something; the rest is left to a later run. An attempt that is
    repeated goes on where the last one stopped.
    """
    key = {"run_id": run.run_id}
    with status.connect() as connection:
        rows = connection.execute(statement("select_unwitnessed_checks"), key | {"most_hosts": HOSTS_PER_DOMAIN}).all()
        spent = connection.scalar(statement("count_rdap_calls"), key) or 0
    left = max(run.max_rdap_calls - spent, 0) if wants_registry(run.policy) else 0
    in_budget = {row.domain for row in rows[:left]}
    asked = [row for row in rows if row.domain in in_budget or wants_dns(_case(row), run.policy)]
    tally: Counter[str] = Counter()
    for chunk in _chunks(_answers(run, witnesses, _by_turns(asked), in_budget)):
        with status.begin() as connection:
            connection.execute(statement("record_witnesses"), key | {"answers": json.dumps(chunk)})
        for answer in chunk:
            tally.update(_tally(answer))
        log.info("%s of %s domains asked about", tally["witnessed_count"], len(asked))
    counts: Counts = {
        "wanted_count": len(rows),
        "witnessed_count": tally["witnessed_count"],
        "rdap_call_count": tally["rdap_call_count"],
        "dns_call_count": tally["dns_call_count"],
        "unwitnessed_count": len(rows) - len(in_budget) if wants_registry(run.policy) else 0,
    }
    log.info("Corroborated: %s", counts)
    return counts


def _by_turns(rows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    """Yield the rows with their top-level domains taking turns: each server has its own pace, and all work at once."""
    of_tld: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        of_tld[row.domain.rpartition(".")[2]].append(row)
    return (row for row in chain.from_iterable(zip_longest(*of_tld.values())) if row is not None)


def _answers(
    run: Run, witnesses: Witnesses, rows: Iterable[Row[Any]], in_budget: Set[str]
) -> Iterator[dict[str, object]]:
    """Yield the answers as they arrive; what has not been asked when nobody listens any more is not asked."""
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="witness") as pool:
        asked = [pool.submit(_ask, run, witnesses, row, ask_registry=row.domain in in_budget) for row in rows]
        try:
            for answer in as_completed(asked):
                yield answer.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _case(row: Row[Any]) -> Case:
    """Return what is known of a row before more is asked."""
    flags = tuple(Flag(flag) for flag in row.flags or ())
    return Case(now=row.checked_at, flags=flags, previous=read_history(row.previous))


def _ask(run: Run, witnesses: Witnesses, row: Row[Any], *, ask_registry: bool) -> dict[str, object]:
    """Ask the registry and, where it could settle something then, DNS; return what `record_witnesses` writes."""
    case = _case(row)
    if ask_registry:
        case = replace(case, rdap=witnesses.registry(row.domain))
    elif wants_registry(run.policy):
        case = replace(case, rdap=RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.BUDGET_SPENT))
    if asks_dns := wants_dns(case, run.policy):
        case = replace(case, dns=witnesses.dns.reading(row.domain, row.hosts))
    case = replace(case, now=run.clock())
    return decision_columns(run, case) | {
        "domain": row.domain,
        "witnessed_at": case.now.isoformat(),
        "rdap": as_json(case.rdap) if case.rdap else None,
        "dns": as_json(case.dns) if case.dns else None,
        "rdap_call_count": int(ask_registry),
        "dns_call_count": int(asks_dns),
    }


def _chunks(answers: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while chunk := list(islice(answers, ANSWERS_PER_WRITE)):
        yield chunk


def _tally(answer: dict[str, Any]) -> dict[str, int]:
    return {
        "witnessed_count": 1,
        "rdap_call_count": answer["rdap_call_count"],
        "dns_call_count": answer["dns_call_count"],
    }
