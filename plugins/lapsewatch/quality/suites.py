"""Two suites: one over a run's rows, whose failures are quarantined, and one over the run, whose failure stops it."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from lapsewatch.core.case_json import BadCase, read_case
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.core.policy import Policy, decide, is_evidence
from lapsewatch.quality.validation import Audit, validate

A_LABELS = r"^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
MAX_LATENCY_MS = 600_000
MAX_CALLS = 10

MAX_SILENT_SHARE = 0.25
"""Above this share of domains that fell silent in a run, something is wrong with the API, the key or the network."""

MAX_FIRST_ADVERSE_SHARE = 0.30
"""A first assessment finds the lapses of many years at once; still, most domains that receive mail are alive."""

MAX_ADVERSE_SHARE = 0.05
ADVERSE_SHARE_GROWTH = 3.0
"""Later, domains that stood well lapse at about 0.02 % a day: above this share, and this many times the recent one,
something is wrong."""

MAX_QUARANTINED_SHARE = 0.05

FEW = 20
"""Shares of fewer domains than this say nothing."""

_CASE = ("policy", "flags", "previous", "rdap", "dns", "decided_at", "is_renewed", "adverse_since")
"""The columns that hold what a row's decision rests on, and what it says of a lapse."""

_IS_EVIDENCE = Column("outcome") == "evidence"
_IS_SILENCE = Column("outcome") == "no_evidence"
_IS_OF_API = Column("source") == "status_api"
_IS_OF_REGISTRY = Column("source") == "registry"

ROW_EXPECTATIONS = (
    gxe.ExpectColumnValuesToMatchRegex(
        column="domain", regex=A_LABELS, meta={"reason": "the domain is not a name of A-labels"}
    ),
    gxe.ExpectColumnValuesToNotBeNull(column="outcome", meta={"reason": "the outcome is missing"}),
    gxe.ExpectColumnValuesToBeInSet(
        column="outcome", value_set=["evidence", "no_evidence"], meta={"reason": "the outcome is not a known one"}
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="has_evidence", value_set=[True], row_condition=_IS_EVIDENCE, meta={"reason": "evidence of nobody"}
    ),
    gxe.ExpectColumnValuesToNotBeNull(
        column="no_evidence_reason", row_condition=_IS_SILENCE, meta={"reason": "no evidence, and no reason"}
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="no_evidence_reason",
        value_set=[reason.value for reason in NoEvidenceReason],
        row_condition=_IS_SILENCE,
        meta={"reason": "no evidence, and the reason is not a known one"},
    ),
    gxe.ExpectColumnPairValuesToBeEqual(
        column_A="phase", column_B="expected_phase", meta={"reason": "the phase is not what the witnesses say"}
    ),
    gxe.ExpectColumnPairValuesToBeEqual(
        column_A="verdict",
        column_B="expected_verdict",
        meta={"reason": "the verdict is not what the policy makes of the evidence"},
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="is_right_about_lapse",
        value_set=[True],
        meta={"reason": "when a lapse began or ended is not what the policy makes of the evidence"},
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="answered_in_time",
        value_set=[True],
        meta={"reason": "the answer is older than the question, or from the future"},
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="due_in_time", value_set=[True], meta={"reason": "the next check is missing, or too far away"}
    ),
    gxe.ExpectColumnValuesToNotBeNull(
        column="latency_ms", row_condition=_IS_OF_API, meta={"reason": "the latency is missing"}
    ),
    gxe.ExpectColumnValuesToBeBetween(
        column="latency_ms",
        min_value=0,
        max_value=MAX_LATENCY_MS,
        row_condition=_IS_OF_API,
        meta={"reason": "the latency is impossible"},
    ),
    gxe.ExpectColumnValuesToBeBetween(
        column="call_count",
        min_value=1,
        max_value=MAX_CALLS,
        row_condition=_IS_OF_API,
        meta={"reason": "the number of calls is impossible"},
    ),
    gxe.ExpectColumnValuesToBeInSet(
        column="call_count",
        value_set=[0],
        row_condition=_IS_OF_REGISTRY,
        meta={"reason": "the registry was to be asked, and the status API was called"},
    ),
)


def audit_checks(frame: pd.DataFrame, audit: Audit) -> dict[str, str]:
    """Validate answered rows (a row a domain, columns as `select_answered_checks.sql` names them).

    Every row is a case with its decision, so it is decided once more here and must come out the same. Adds the result
    to the audit; returns the domains to quarantine with the reason of the first expectation each failed.
    """
    cases = zip(*(frame[name].tolist() for name in _CASE), strict=True)
    again = [_decide_again(dict(zip(_CASE, case, strict=True))) for case in cases]
    expected = frame.drop(columns=list(_CASE)).assign(
        expected_phase=[found.phase for found in again],
        expected_verdict=[found.verdict for found in again],
        has_evidence=[found.has_evidence for found in again],
        is_right_about_lapse=[found.is_right_about_lapse for found in again],
    )
    bad = validate("domain_checks", expected, ROW_EXPECTATIONS, audit, index_column="domain")
    audit.row_count += len(frame)
    audit.quarantined_count += len(bad)
    return bad


def audit_run(figures: Mapping[str, Any], audit: Audit) -> None:
    """Validate a run as a whole from the figures of `select_run_figures.sql`; a failure is the audit's trouble.

    Shares are judged from `FEW` domains on; a run in which nobody who was asked first gave evidence is always judged.
    One top-level domain may fall silent, as when its registry is down, where there are enough others to judge by.
    """
    elsewhere = "_elsewhere" if figures["expected_elsewhere_count"] >= FEW else ""
    expected, silent = figures[f"expected{elsewhere}_count"], figures[f"newly_silent{elsewhere}_count"]
    first, first_adverse = figures["first_count"], figures["first_adverse_count"]
    judged, adverse = figures["judged_count"], figures["newly_adverse_count"]
    limit = max(MAX_ADVERSE_SHARE, ADVERSE_SHARE_GROWTH * float(figures["recent_adverse_share"]))
    frame = pd.DataFrame(
        {
            "run": ["run"],
            "silent_share": [
                silent / expected if silent >= FEW or (expected and not figures["evidence_count"]) else 0.0
            ],
            "first_adverse_share": [_share(first_adverse, first)],
            "newly_adverse_share": [_share(adverse, judged)],
            "quarantined_share": [_share(audit.quarantined_count, audit.row_count)],
        }
    )
    expectations = (
        _at_most(
            "silent_share",
            MAX_SILENT_SHARE,
            f"{silent} of {expected} domains unexpectedly gave no evidence (more than {MAX_SILENT_SHARE:.0%}):"
            " look at no_evidence_reason in lapsewatch.domain_check",
        ),
        _at_most(
            "first_adverse_share",
            MAX_FIRST_ADVERSE_SHARE,
            f"{first_adverse} of {first} domains are lapsed at their first check (more than"
            f" {MAX_FIRST_ADVERSE_SHARE:.0%}): the API may be wrong",
        ),
        _at_most(
            "newly_adverse_share",
            limit,
            f"{adverse} of {judged} domains that stood well are suddenly lapsed (more than {limit:.1%}): a registry"
            " or the API may be wrong",
        ),
        _at_most(
            "quarantined_share",
            MAX_QUARANTINED_SHARE,
            f"{audit.quarantined_count} of {audit.row_count} rows are quarantined (more than"
            f" {MAX_QUARANTINED_SHARE:.0%}): look at quarantine_reason in lapsewatch.domain_check",
        ),
    )
    troubles = validate("run", frame, expectations, audit, index_column="run")
    audit.trouble = audit.trouble or troubles.get("run")


def _share(count: int, total: int) -> float:
    return count / total if count >= FEW else 0.0


def _at_most(column: str, limit: float, reason: str) -> gxe.ExpectColumnValuesToBeBetween:
    return gxe.ExpectColumnValuesToBeBetween(column=column, max_value=limit, meta={"reason": reason})


class _Again(NamedTuple):
    phase: str
    verdict: str
    has_evidence: bool
    is_right_about_lapse: bool


def _decide_again(row: Mapping[Hashable, Any]) -> _Again:
    try:
        case = read_case({name: row[name] for name in ("flags", "rdap", "dns", "previous")}, row["decided_at"])
        policy = Policy(row["policy"])
    except (BadCase, ValueError):
        return _Again("not a case", "not a case", has_evidence=False, is_right_about_lapse=False)
    decision = decide(case, policy)
    adverse_since = None if pd.isna(row["adverse_since"]) else row["adverse_since"]
    is_right = decision.is_renewed == row["is_renewed"] and decision.adverse_since == adverse_since
    return _Again(decision.phase.value, decision.verdict.value, is_evidence(case, decision), is_right)
