"""Two suites: one over a run's rows, whose failures are quarantined, and one over the run, whose failure stops it."""

from collections.abc import Mapping
from typing import Any

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from lapsewatch.core.evidence import Flag, NoEvidenceReason
from lapsewatch.core.lifecycle import Phase, phase_of
from lapsewatch.core.policy import decide
from lapsewatch.quality.validation import Audit, validate

A_LABELS = r"^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
MAX_LATENCY_MS = 600_000
MAX_CALLS = 10

MAX_NO_EVIDENCE_SHARE = 0.25
"""Above this share of domains that fell silent in a run, something is wrong with the API, the key or the network."""

MAX_FIRST_ADVERSE_SHARE = 0.30
"""A first assessment finds the lapses of many years at once; still, most domains that receive mail are alive."""

MAX_ADVERSE_SHARE = 0.05
ADVERSE_SHARE_GROWTH = 3.0
"""Later, domains that stood well lapse at about 0.02 % a day: above this share, and this many times the recent one,
something is wrong."""

FEW = 20
"""Shares of fewer domains than this say nothing."""

_IS_EVIDENCE = Column("outcome") == "evidence"
_IS_SILENCE = Column("outcome") == "no_evidence"

ROW_EXPECTATIONS = (
    gxe.ExpectColumnValuesToMatchRegex(
        column="domain", regex=A_LABELS, meta={"reason": "the domain is not a name of A-labels"}
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="outcome",
        value_set=["evidence", "no_evidence"],
        meta={"reason": "the outcome is not a known one"},
    ),
    gxe.ExpectColumnValuesToNotBeNull(
        column="flags", row_condition=_IS_EVIDENCE, meta={"reason": "evidence without flags"}
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="no_evidence_reason",
        value_set=[reason.value for reason in NoEvidenceReason],
        row_condition=_IS_SILENCE,
        meta={"reason": "no evidence, and the reason is not a known one"},
    ),
    gxe.ExpectColumnPairValuesToBeEqual(
        column_A="phase", column_B="phase_of_flags", meta={"reason": "the phase is not what the flags say"}
    ),
    gxe.ExpectColumnPairValuesToBeEqual(
        column_A="verdict",
        column_B="verdict_of_phase",
        meta={"reason": "the verdict is not what the policy makes of the phase"},
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="checked_at",
        column_B="planned_at",
        or_equal=True,
        meta={"reason": "the answer is older than the question"},
    ),
    gxe.ExpectColumnValuesToBeBetween(
        column="latency_ms",
        min_value=0,
        max_value=MAX_LATENCY_MS,
        meta={"reason": "the latency is impossible"},
    ),
    gxe.ExpectColumnValuesToBeBetween(
        column="call_count",
        min_value=1,
        max_value=MAX_CALLS,
        meta={"reason": "the number of calls is impossible"},
    ),
    gxe.ExpectColumnValuesToNotBeNull(column="next_check_at", meta={"reason": "the next check is missing"}),
)


def audit_checks(frame: pd.DataFrame, audit: Audit) -> dict[str, str]:
    """Validate answered rows (a row a domain, columns as `select_answered_checks.sql` names them).

    Adds the result to the audit; returns the domains to quarantine with the reason of the first expectation each
    failed.
    """
    expected = frame.assign(
        phase_of_flags=frame["flags"].map(_phase_of_text),
        verdict_of_phase=frame["phase"].map(_verdict_of_text),
    )
    bad = validate("domain_checks", expected, ROW_EXPECTATIONS, audit, index_column="domain")
    audit.row_count += len(frame)
    audit.quarantined_count += len(bad)
    return bad


def audit_run(figures: Mapping[str, Any], audit: Audit) -> None:
    """Validate a run as a whole from the figures of `select_run_figures.sql`; a failure is the audit's trouble.

    Shares are judged from `FEW` domains on; a run that got none of the evidence it expected is always judged.
    """
    expected, silent = figures["expected_count"], figures["newly_silent_count"]
    judged, adverse = figures["judged_count"], figures["newly_adverse_count"]
    recent = figures["recent_adverse_share"]
    limit = MAX_FIRST_ADVERSE_SHARE if recent is None else max(MAX_ADVERSE_SHARE, ADVERSE_SHARE_GROWTH * float(recent))
    frame = pd.DataFrame(
        {
            "run": ["run"],
            "no_evidence_share": [silent / expected if silent >= min(FEW, max(expected, 1)) else 0.0],
            "newly_adverse_share": [adverse / judged if adverse >= FEW else 0.0],
            "quarantined_share": [audit.quarantined_count / audit.row_count if audit.quarantined_count >= FEW else 0.0],
        }
    )
    expectations = (
        gxe.ExpectColumnValuesToBeBetween(
            column="no_evidence_share",
            max_value=MAX_NO_EVIDENCE_SHARE,
            meta={
                "reason": f"{silent} of {expected} domains unexpectedly gave no evidence (more than"
                f" {MAX_NO_EVIDENCE_SHARE:.0%}):"
                " look at no_evidence_reason in lapsewatch.domain_check"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="newly_adverse_share",
            max_value=limit,
            meta={
                "reason": f"{adverse} of {judged} domains that stood well are suddenly lapsed (more than"
                f" {limit:.1%}): a registry or the API may be wrong"
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="quarantined_share",
            max_value=MAX_ADVERSE_SHARE,
            meta={"reason": f"{audit.quarantined_count} of {audit.row_count} rows are quarantined"},
        ),
    )
    troubles = validate("run", frame, expectations, audit, index_column="run")
    audit.trouble = audit.trouble or troubles.get("run")


def _phase_of_text(flags: str | None) -> str:
    try:
        return phase_of([Flag(word) for word in flags.split()] if isinstance(flags, str) else ()).value
    except ValueError:
        return "not in the vocabulary"


def _verdict_of_text(phase: str) -> str:
    try:
        return decide(Phase(phase)).verdict.value
    except ValueError:
        return "no such phase"
