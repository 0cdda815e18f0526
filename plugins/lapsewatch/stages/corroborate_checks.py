"""Asks the registry and DNS: as second witnesses about doubtful domains, and first about those that are due by it."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import chain, groupby, islice
from typing import Any

from sqlalchemy import Engine, Row

from lapsewatch.clients.dns import MAX_HOSTS
from lapsewatch.clients.turns import by_turns
from lapsewatch.clients.witnesses import BudgetedRegistry, Witnesses, was_asked
from lapsewatch.core.cadence import Pace, Source
from lapsewatch.core.case_json import as_json, read_history
from lapsewatch.core.evidence import Flag, NoEvidenceReason
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
MOST_BEYOND_BUDGET = 10_000
"""How many rows more than the budget are looked at: for DNS to settle, or without a registry to ask."""


def corroborate_checks(run: Run, witnesses: Witnesses, status: Engine) -> Counts:
    """Ask about each domain that wants it, within the run's budget of questions to registries.

    Doubtful and moving domains come first, then those that are due by their registry, then dates. Beyond the budget DNS
    is asked where it could settle something; the rest is left to a later run. An attempt that is repeated goes on where
    the last one stopped.
    """
    key: dict[str, object] = {"run_id": run.run_id, "policy": run.policy.value}
    with status.connect() as connection:
        # Answers go to the rows that asked for them, also where the run is planned anew meanwhile.
        plan = connection.execute(statement("select_run_plan"), key).one()
        key["planned_at"] = plan.planned_at
        before = connection.execute(statement("count_unwitnessed_checks"), key).one()
        budget = max(run.max_rdap_calls - before.rdap_call_count, 0)
        limits = {"most_checks": 2 * budget + MOST_BEYOND_BUDGET, "most_hosts": MAX_HOSTS + 1}
        rows = connection.execute(statement("select_unwitnessed_checks"), key | limits).all()
    asking = Witnesses(BudgetedRegistry(witnesses.registry, budget), witnesses.dns)
    pace = Pace(run.cadence, plan.api_interval)
    tally: Counter[str] = Counter()
    for chunk in _chunks(_answers(run, pace, asking, rows)):
        with status.begin() as connection:
            connection.execute(statement("record_witnesses"), key | {"answers": json.dumps(chunk)})
        for answer in chunk:
            tally.update(_tally(answer))
        log.info("%s of %s domains asked about", tally["witnessed_count"], before.wanted_count)
    counts: Counts = {
        "wanted_count": before.wanted_count,
        "witnessed_count": tally["witnessed_count"],
        "rdap_call_count": tally["rdap_call_count"],
        "dns_call_count": tally["dns_call_count"],
        "unwitnessed_count": before.wanted_count - tally["witnessed_count"] + tally["beyond_budget_count"],
    }
    log.info("Corroborated: %s", counts)
    return counts


def _answers(run: Run, pace: Pace, witnesses: Witnesses, rows: Sequence[Row[Any]]) -> Iterator[dict[str, object]]:
    """Yield the answers as they arrive; what has not been asked when nobody listens any more is not asked."""
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="witness") as pool:
        in_order = chain.from_iterable(by_turns(some, _domain) for _, some in groupby(rows, lambda row: row.turn))
        asked = [pool.submit(_ask, run, pace, witnesses, row) for row in in_order]
        try:
            for future in as_completed(asked):
                if (answer := future.result()) is not None:
                    yield answer
        finally:
            pool.shutdown(cancel_futures=True)


def _domain(row: Row[Any]) -> str:
    return str(row.domain)


def _ask(run: Run, pace: Pace, witnesses: Witnesses, row: Row[Any]) -> dict[str, object] | None:
    """Ask the registry and, where it could settle something then, DNS; return what `record_witnesses` writes.

    None where the budget is spent and DNS has nothing to settle, where the registry was to be asked first and wants a
    pause, or where the run's policy, changed since it was planned, does not listen to it: the row stays as it is.
    """
    flags = tuple(Flag(flag) for flag in row.flags or ())
    case = Case(now=row.checked_at or run.clock(), flags=flags, previous=read_history(row.previous))
    if wants_registry(run.policy):
        case = replace(case, rdap=witnesses.registry(row.domain))
    elif row.source == Source.REGISTRY:
        return None
    asks_dns = wants_dns(case, run.policy)
    reason = case.rdap.reason if case.rdap else None
    is_beyond_budget = reason is NoEvidenceReason.BUDGET_SPENT
    is_paused = reason is NoEvidenceReason.SERVER_PAUSED and row.source == Source.REGISTRY
    if (is_beyond_budget or is_paused) and not asks_dns:
        return None
    if asks_dns:
        case = replace(case, dns=witnesses.dns.reading(row.domain, row.hosts))
    case = replace(case, now=run.clock())
    return decision_columns(run, row.domain, case, pace) | {
        "domain": row.domain,
        "witnessed_at": case.now.isoformat(),
        "previous": as_json(case.previous),
        "no_evidence_reason": reason.value if reason else None,
        "rdap": as_json(case.rdap) if case.rdap else None,
        "dns": as_json(case.dns) if case.dns else None,
        "rdap_call_count": int(case.rdap is not None and was_asked(case.rdap)),
        "dns_call_count": int(asks_dns),
        "is_beyond_budget": is_beyond_budget,
    }


def _chunks(answers: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while chunk := list(islice(answers, ANSWERS_PER_WRITE)):
        yield chunk


def _tally(answer: dict[str, Any]) -> dict[str, int]:
    return {
        "witnessed_count": 1,
        "rdap_call_count": answer["rdap_call_count"],
        "dns_call_count": answer["dns_call_count"],
        "beyond_budget_count": int(answer["is_beyond_budget"]),
    }
