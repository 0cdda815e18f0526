"""Runs Great Expectations over a data frame and reads its result."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation import Expectation

MOST_EXAMPLES = 20
"""Of the rows that failed an expectation so many are kept as examples: as many as Great Expectations keeps itself."""


@dataclass(slots=True)
class Audit:
    """What validation found so far in a run: rows seen and quarantined, why the run must stop, and the raw results.

    There is one result a suite, however many pieces it has validated.
    """

    row_count: int = 0
    quarantined_count: int = 0
    trouble: str | None = None
    results: dict[str, dict[str, Any]] = field(default_factory=dict)


def validate(
    name: str, frame: pd.DataFrame, expectations: Iterable[Expectation], audit: Audit, *, index_column: str
) -> dict[str, str]:
    """Validate a frame; return which rows failed, by the index column, with the `reason` in the expectation's meta.

    An expectation that could not be evaluated is trouble for the whole run: an audit that did not happen proves
    nothing.
    """
    batch = _definition(name).get_batch({"dataframe": frame})
    # A suite owns its expectations: it gets copies, so that the next piece can have them too.
    suite = gx.ExpectationSuite(name, expectations=copy.deepcopy(list(expectations)))
    result = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [index_column],
            "return_unexpected_index_query": False,
        },
    )
    bad: dict[str, str] = {}
    for found in result.results:
        if found.success:
            continue
        reason = str(found.expectation_config.meta["reason"])
        rows = found.result.get("unexpected_index_list")
        if not rows:
            audit.trouble = f"an expectation could not be evaluated ({reason})"
            continue
        for row in rows:
            bad.setdefault(row[index_column], reason)
    _keep(audit, name, result.to_json_dict())
    return bad


@cache
def _definition(name: str) -> BatchDefinition:
    """Return where frames of a name go: made once, because that takes longer than to validate some thousand rows."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    return asset.add_batch_definition_whole_dataframe(name)


def _keep(audit: Audit, name: str, result: dict[str, Any]) -> None:
    """Add the result of a piece to the suite's: counts are summed up, examples kept, and no complete list of rows."""
    for found in result["results"]:
        for complete in ("unexpected_list", "unexpected_index_list"):
            found["result"].pop(complete, None)
    kept = audit.results.setdefault(name, result)
    if kept is result:
        return
    by_reason = {found["expectation_config"]["meta"]["reason"]: found for found in kept["results"]}
    for found in result["results"]:
        of_all = by_reason[found["expectation_config"]["meta"]["reason"]]
        of_all["result"] = _joined(of_all["result"], found["result"])
        if not found["success"]:
            of_all |= {"success": False, "exception_info": found["exception_info"]}
    passed = sum(found["success"] for found in kept["results"])
    kept["success"] = passed == len(kept["results"])
    kept["statistics"] |= {
        "successful_expectations": passed,
        "unsuccessful_expectations": len(kept["results"]) - passed,
        "success_percent": 100 * passed / len(kept["results"]),
    }


def _joined(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an expectation over two pieces as those of one."""
    joined = before | found
    for name in found.keys() & before.keys():
        if name.endswith("_count"):
            joined[name] = before[name] + found[name]
        elif name.startswith("partial_"):
            joined[name] = [*before[name], *found[name]][:MOST_EXAMPLES]
    elements, unexpected = joined.get("element_count", 0), joined.get("unexpected_count", 0)
    missing = joined.get("missing_count", 0)
    shares = {
        "missing_percent": (missing, elements),
        "unexpected_percent": (unexpected, elements - missing),
        "unexpected_percent_nonmissing": (unexpected, elements - missing),
        "unexpected_percent_total": (unexpected, elements),
    }
    for name in shares.keys() & joined.keys():
        part, whole = shares[name]
        joined[name] = 100 * part / whole if whole else 0.0
    return joined
