"""Asking the witnesses about domains, many at once, and deciding on what they say."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from lapsewatch.clients.asking import ask_all
from lapsewatch.clients.errors import Refused
from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.case_json import as_json
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import Evidence, NoEvidence, NoEvidenceReason
from lapsewatch.core.lifecycle import Case
from lapsewatch.core.policy import Decision, Policy, decide, is_evidence

if TYPE_CHECKING:
    from lapsewatch.connections import StatusApi

IN_FLIGHT = 16
"""Domains asked about at once: more than any registry allows, so that a slow one does not hold up the others."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a domain: a case, and why the status API was silent where it was asked and said nothing."""

    domain: str
    case: Case
    silence: NoEvidenceReason | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was said about a domain, and the decision on it."""

    said: Said
    decision: Decision

    @property
    def domain(self) -> str:
        """The registrable domain."""
        return self.said.domain

    @property
    def has_evidence(self) -> bool:
        """Whether the status API or the registry said anything."""
        return is_evidence(self.said.case, self.decision)

    def as_json(self) -> dict[str, Any]:
        """Return it as an object whose `evidence` is a case that `lapsewatch decide` reads."""
        case = self.said.case
        evidence: dict[str, Any] = {"domain": self.domain, "now": case.now.isoformat(timespec="seconds")}
        if case.flags:
            evidence["flags"] = [flag.value for flag in case.flags]
        for name, reading in (("rdap", case.rdap), ("dns", case.dns)):
            if reading is not None:
                evidence[name] = as_json(reading)
        return {
            "domain": self.domain,
            "phase": self.decision.phase.value,
            "verdict": self.decision.verdict.value,
            "reason": self.decision.reason,
            "witnesses": [witness.value for witness in self.decision.witnesses],
            "evidence": evidence,
        }


def decided(said: Said, policy: Policy) -> Finding:
    """Decide on what was said."""
    return Finding(said, decide(said.case, policy))


def ask_status_api(api: "StatusApi", domains: Collection[str]) -> Iterator[Said]:
    """Ask the status API about every domain; yield the answers as they arrive.

    Raises SetupError for a refused key, BudgetSpent, and Unavailable where the API is dead.
    """
    answers = ask_all(api.client, domains, api.budget, lambda: datetime.now(UTC), count=len(domains))
    try:
        for answer in chain.from_iterable(answers):
            outcome = answer.outcome
            flags = outcome.flags if isinstance(outcome, Evidence) else ()
            silence = outcome.reason if isinstance(outcome, NoEvidence) else None
            yield Said(answer.domain, Case(now=answer.checked_at, flags=flags), silence)
    except Refused as error:
        raise SetupError(
            f"the status API refuses the key ({error}): check the password of the Airflow connection"
            f" '{api.client.name}_api'"
        ) from None


def nothing_said(domain: str) -> Said:
    """Return what is known of a domain before anybody was asked."""
    return Said(domain, Case(now=datetime.now(UTC)))


def ask_registry(witnesses: Witnesses, said: Said) -> Said:
    """Add what the registry says."""
    return replace(said, case=replace(said.case, rdap=witnesses.registry(said.domain), now=datetime.now(UTC)))


def ask_dns(witnesses: Witnesses, said: Said, hosts: Sequence[str]) -> Said:
    """Add what DNS says of the domain and its mail hosts."""
    return replace(said, case=replace(said.case, dns=witnesses.dns.reading(said.domain, hosts), now=datetime.now(UTC)))


def each(
    ask: Callable[[Item], Result], items: Iterable[Item], *, in_order: bool = False, in_flight: int = IN_FLIGHT
) -> Iterator[Result]:
    """Ask about all items, some at once; yield the results as they arrive, or in order.

    What has not been asked when nobody listens any more is not asked, and what is in flight is not waited for.
    """
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="witness")
    try:
        asked = [pool.submit(ask, item) for item in items]
        for future in asked if in_order else as_completed(asked):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
