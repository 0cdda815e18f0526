"""docs/scaling.md says what was measured."""

from benchmarks import scaling


def test_the_tables_are_those_of_the_last_results() -> None:
    document = scaling.DOCUMENT.read_text()
    assert scaling.rewritten(document, scaling.read_results()) == document


def test_other_results_would_be_noticed() -> None:
    document, results = scaling.DOCUMENT.read_text(), scaling.read_results()
    results["measures"]["unthrottled"]["figures"]["domains/s"] += 1
    assert scaling.rewritten(document, results) != document
