"""Runs Great Expectations over a data frame and reads its result."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation import Expectation


@dataclass(slots=True)
class Audit:
    """What validation found so far in a run: rows seen and quarantined, why the run must stop, and the raw results."""

    row_count: int = 0
    quarantined_count: int = 0
    trouble: str | None = None
    results: list[dict[str, Any]] = field(default_factory=list)


def validate(
    name: str, frame: pd.DataFrame, expectations: Iterable[Expectation], audit: Audit, *, index_column: str
) -> dict[str, str]:
    """Validate a frame; return which rows failed, by the index column, with the `reason` in the expectation's meta.

    An expectation that could not be evaluated is trouble for the whole run: an audit that did not happen proves
    nothing.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})
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
    audit.results.append(_kept(result.to_json_dict()))
    return bad


def _kept(result: dict[str, Any]) -> dict[str, Any]:
    """Return a validation result without its complete lists of rows: `partial_unexpected_list` holds twenty."""
    for found in result["results"]:
        for complete in ("unexpected_list", "unexpected_index_list"):
            found["result"].pop(complete, None)
    return result
