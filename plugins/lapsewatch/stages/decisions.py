"""What is decided on a case, as the columns of `domain_check` that hold it."""

from datetime import datetime

from lapsewatch.core.cadence import Pace, next_check
from lapsewatch.core.lifecycle import Case, mail_seen_at
from lapsewatch.core.policy import decide, is_evidence
from lapsewatch.stages.run import Run


def decision_columns(run: Run, domain: str, case: Case, pace: Pace) -> dict[str, object]:
    """Decide on the domain's case by the run's policy; return the decision and the next check as values for JSON."""
    decision = decide(case, run.policy)
    has_evidence = is_evidence(case, decision)
    due = next_check(domain, run.day, case, decision, run.policy, pace)
    return {
        "outcome": "evidence" if has_evidence else "no_evidence",
        "phase": decision.phase.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "witnesses": [witness.value for witness in decision.witnesses],
        "adverse_since": _instant(decision.adverse_since),
        "is_renewed": decision.is_renewed,
        "mail_seen_at": _instant(mail_seen_at(case)),
        "next_check_at": due.at.isoformat(),
        "next_source": due.source.value,
    }


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
