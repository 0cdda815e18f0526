"""Great Expectations' Data Docs of a run, as HTML that needs nothing else: no script, no style, no other host."""

import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
from great_expectations.render.renderer.content_block import ValidationResultsTableContentBlockRenderer
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape

TITLES = {"domain_checks": "Rows: what fails is quarantined", "run": "The run: what fails stops it"}


class Shown(NamedTuple):
    """An expectation: what it is, what was found, examples of it, and what it means where it fails."""

    state: str
    sentences: list[Markup]
    examples: list[Any]
    observed: object
    reason: str


def data_docs(results: Iterable[Mapping[str, Any]]) -> str:
    """Return the validation results of a run's suites, as JSON has them, in HTML: a `section` a suite, failures first.

    Words and figures are those of Great Expectations' own renderers. Its own page is not used: it loads scripts and
    styles from six other hosts, and writes values into its tables without escaping them.
    """
    suites = [
        {
            "name": result["suite_name"],
            "title": TITLES.get(result["suite_name"], result["suite_name"]),
            "statistics": result["statistics"],
            "shown": sorted(_shown(result), key=lambda shown: shown.state == "holds"),
            "version": result["meta"]["great_expectations_version"],
        }
        for result in results
    ]
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("data_docs.html").render(suites=suites)


def _shown(result: Mapping[str, Any]) -> Iterable[Shown]:
    for found in expectationSuiteValidationResultSchema.load(dict(result)).results:
        config = found.expectation_config
        reason = config.meta["reason"]
        if not found.success and not found.result:
            # What Great Expectations shows of it is a traceback, which may quote anything.
            yield Shown("could not be evaluated", [escape(config.type)], examples=[], observed=None, reason=reason)
            continue
        [[_, told, observed]] = ValidationResultsTableContentBlockRenderer.render([found]).to_json_dict()["table"]
        blocks = told if isinstance(told, list) else [told]
        yield Shown(
            "holds" if found.success else "fails",
            sentences=[_sentence(block) for block in blocks if block["content_block_type"] == "string_template"],
            examples=[block for block in blocks if block["content_block_type"] == "table"],
            observed=observed if found.result.get("element_count") else None,
            reason=reason,
        )


def _sentence(block: Mapping[str, Any]) -> Markup:
    """Return a sentence with its values filled in, escaped and marked."""
    told = block["string_template"]
    values = {name: Markup("<code>{}</code>").format(value) for name, value in told.get("params", {}).items()}
    return Markup(string.Template(escape(told["template"].strip())).safe_substitute(values))  # noqa: S704 - escaped
