"""docs/protection.md says what the contest found."""

import re

from evaluation import report, tables
from evaluation.__main__ import FULL
from evaluation.report import DOCUMENT, RESULTS


def test_the_tables_are_those_of_the_last_results() -> None:
    text = DOCUMENT.read_text()
    assert tables.rewritten(text, report.read()) == text
    assert (RESULTS / "protection.md").read_text() == report.as_markdown(report.read())


def test_the_results_are_of_the_full_size_and_of_what_is_committed() -> None:
    results = report.read()
    method = results["method"]
    assert (method["seeds"], method["domains"]) == (FULL.seeds, FULL.domains)
    assert not results["is_dirty"]


def test_every_table_is_shown() -> None:
    assert set(re.findall(r"<!-- evaluated: (\w+) -->", DOCUMENT.read_text())) == set(tables.TABLES)


def test_other_results_would_be_noticed() -> None:
    text, results = DOCUMENT.read_text(), report.read()
    results["watchers"]["rubygems"]["calls"]["mean"] += 1
    assert tables.rewritten(text, results) != text


def test_plots_that_are_shown_are_there() -> None:
    shown = re.findall(r"\]\(\.\./benchmarks/results/([\w-]+\.svg)\)", DOCUMENT.read_text())
    assert shown
    assert [name for name in shown if not (RESULTS / name).is_file()] == []
