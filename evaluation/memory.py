"""What the pipeline remembers of one domain between its checks, and the checks themselves.

Restates, for one domain, what `include/sql/status_database/` does for all of them: `insert_new_domains.sql` (the first
check), `insert_plan.sql` (whom a check asks), `merge_domain_status.sql`, `end_lapses.sql`, `open_lapses.sql`,
`infer_lapses.sql`, `update_open_lapses.sql`;
and the order in which the stages `check_batch` and `corroborate_checks` ask. What is decided, who is asked and when the
domain is due again is the product's own `core`. A test drives the pipeline and this over the same world.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from lapsewatch.core.cadence import (
    COHORTS,
    NextCheck,
    Pace,
    Source,
    cohort_of,
    cohort_of_day,
    next_check,
)
from lapsewatch.core.evidence import DnsReading, Flag, RdapOutcome, RdapReading
from lapsewatch.core.lifecycle import ADVERSE, Case, History, Phase, mail_seen_at
from lapsewatch.core.policy import Decision, Policy, Verdict, decide, is_evidence
from lapsewatch.core.questions import need_of, wants_dns, wants_registry

REGISTRY_PATIENCE = timedelta(days=3)
"""How long a domain on which something moves waits for its registry (`plan_batches`)."""


class Outside(Protocol):
    """Who can be asked about one domain; each call is a question."""

    def flags(self) -> tuple[Flag, ...]:
        """Return what the status API says; nothing where the call failed."""

    def registry(self) -> RdapReading:
        """Return what the registry's RDAP server says."""

    def dns(self) -> DnsReading:
        """Return what the resolver says."""


class DomainWatch:
    """One domain under the pipeline's eyes: when it is due, what is asked then, and what is remembered.

    `first_day` is the day of the first run; `verified_at` is when the addresses on the domain were verified.
    """

    def __init__(
        self,
        domain: str,
        first_day: date,
        verified_at: datetime,
        pace: Pace,
        policy: Policy = Policy.CORROBORATED,
    ) -> None:
        wait = timedelta(days=(cohort_of(domain) - cohort_of_day(first_day)) % COHORTS)
        self.next = NextCheck(datetime.combine(first_day + wait, time(), UTC), Source.STATUS_API)
        self.known = History()
        self.verdict = Verdict.WATCH
        self._domain = domain
        self._verified_at = verified_at
        self._pace = pace
        self._policy = policy
        self._open_lapses: list[datetime] = []
        self._evidence_at: datetime | None = None

    def due(self, day: date) -> Source | None:
        """Return whom the run of a day asks first, None where it does not ask about the domain."""
        return self._source(day) if self.next.at.date() <= day else None

    @property
    def is_distrusted(self) -> bool:
        """Tell whether the addresses on the domain are to be unverified on what the last check found."""
        return self.verdict is Verdict.UNVERIFY and bool(self._open_lapses)

    def check(self, now: datetime, ask: Outside) -> Decision:
        """Ask whom the domain is due to be asked of, decide, and remember what came of it."""
        if self._source(now.date()) is Source.REGISTRY:
            case = self._with_witnesses((), now, ask)
        else:
            flags = ask.flags()
            case = Case(now, flags, previous=self.known)
            if need_of(case, self._policy) is not None:
                case = self._with_witnesses(flags, now, ask)
        decision = decide(case, self._policy)
        self.next = next_check(self._domain, now.date(), case, decision, self._policy, self._pace)
        if is_evidence(case, decision):
            self._remember(case, decision)
        return decision

    def _source(self, day: date) -> Source:
        """Whom a run of a day asks: the API, where one has waited too long for the registry or for evidence."""
        is_late = self.verdict is not Verdict.KEEP and self.next.at.date() < day - REGISTRY_PATIENCE
        is_stale = self._evidence_at is None or self._evidence_at.date() < day - timedelta(days=COHORTS)
        return Source.STATUS_API if is_late or is_stale else self.next.source

    def _with_witnesses(self, flags: tuple[Flag, ...], now: datetime, ask: Outside) -> Case:
        rdap = ask.registry() if wants_registry(self._policy) else None
        case = Case(now, flags, rdap, None, self.known)
        return Case(now, flags, rdap, ask.dns(), self.known) if wants_dns(case, self._policy) else case

    def _remember(self, case: Case, decision: Decision) -> None:
        known, rdap, now = self.known, case.rdap, case.now
        registered_at, seen_at, expires_at = known.registered_at, known.registry_seen_at, known.expires_at
        if rdap is not None and rdap.outcome is RdapOutcome.FOUND:
            # A date that is still to come is none.
            if rdap.registered_at is not None and rdap.registered_at <= now:
                registered_at = rdap.registered_at
            seen_at, expires_at = now, rdap.expires_at
        self.verdict, self._evidence_at = decision.verdict, now
        self.known = History(
            decision.phase,
            decision.adverse_since,
            known.lapsed_at,
            registered_at,
            seen_at,
            expires_at,
            _expired_since(known, decision, case),
            mail_seen_at(case),
        )
        if decision.is_renewed:
            self._keep_lapses(lambda at: not _is_before(registered_at, at) or at >= now)
        if decision.verdict is Verdict.UNVERIFY:
            self._open_lapse(decision, known.lapsed_at, now)
        if registered_at is not None and registered_at > self._verified_at and registered_at != known.registered_at:
            self._infer_lapse(registered_at, now)
        lapsed_at = max(self._open_lapses, default=None)
        if lapsed_at != self.known.lapsed_at:
            self.known = replace(self.known, lapsed_at=lapsed_at)

    def _keep_lapses(self, stays_open: Callable[[datetime], bool]) -> None:
        self._open_lapses = [at for at in self._open_lapses if stays_open(at)]

    def _open_lapse(self, decision: Decision, lapsed_before: datetime | None, now: datetime) -> None:
        since = decision.adverse_since
        if decision.phase is Phase.REREGISTERED:
            lapsed_at, is_covered = self.known.registered_at, bool(self._open_lapses)
        else:
            lapsed_at = now
            is_covered = any(
                (since is not None and at >= since) or _is_before(lapsed_before, at) for at in self._open_lapses
            )
        if lapsed_at is not None and not is_covered:
            self._open_lapses.append(lapsed_at)

    def _infer_lapse(self, registered_at: datetime, now: datetime) -> None:
        """A registration later than the verification of an address is a lapse, though nobody saw it.

        The next run asks the status API about it.
        """
        if registered_at in self._open_lapses:
            return
        self._open_lapses.append(registered_at)
        self.verdict = Verdict.UNVERIFY
        self.next = NextCheck(min(self.next.at, datetime.combine(now.date(), time(), UTC)), Source.STATUS_API)
        if self.known.phase not in ADVERSE:
            self.known = replace(self.known, phase=Phase.REREGISTERED)


def _expired_since(known: History, decision: Decision, case: Case) -> datetime | None:
    has_spoken = case.rdap is not None and case.rdap.outcome is not RdapOutcome.NO_EVIDENCE
    if decision.phase is Phase.EXPIRED:
        return known.expired_since or case.now
    is_over = decision.phase is Phase.REREGISTERED or (decision.phase in {Phase.ACTIVE, Phase.RELEASED} and has_spoken)
    return None if is_over else known.expired_since


def _is_before(instant: datetime | None, later: datetime) -> bool:
    return instant is None or instant < later
