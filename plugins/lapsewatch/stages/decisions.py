"""What is decided on a case, as the columns of `domain_check` that hold it."""

from lapsewatch.core.cadence import Cadence, Pace, next_check
from lapsewatch.core.lifecycle import Case
from lapsewatch.core.policy import decide, is_evidence
from lapsewatch.stages.run import Run


def decision_columns(run: Run, domain: str, case: Case) -> dict[str, object]:
    """Decide on the domain's case by the run's policy; return the decision and the next date as values for JSON."""
    decision = decide(case, run.policy)
    has_evidence = is_evidence(case, decision)
    due_at = next_check(domain, run.day, case, decision, run.policy, Pace(Cadence.MONTHLY)).at
    return {
        "outcome": "evidence" if has_evidence else "no_evidence",
        "phase": decision.phase.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "witnesses": [witness.value for witness in decision.witnesses],
        "adverse_since": decision.adverse_since.isoformat() if decision.adverse_since else None,
        "is_renewed": decision.is_renewed,
        "next_check_at": due_at.isoformat(),
    }
