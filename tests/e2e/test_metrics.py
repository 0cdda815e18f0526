"""The metrics of a real run, as Airflow's own settings have them sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.conftest import LAPSED
from tests.e2e.conftest import Installation
from tests.monitoring.receivers import Collector, Metric, Statsd, opentelemetry, statsd


def value(metrics: list[Metric], name: str, **tags: str) -> float:
    [found] = [
        metric.value
        for metric in metrics
        if metric.name == f"airflow.lapsewatch.{name}" and tags.items() <= dict(metric.tags).items()
    ]
    return found


@pytest.mark.parametrize("receiver", [statsd, opentelemetry])
def test_a_run_tells_what_its_summary_says(
    installation: Installation, receiver: Callable[[], AbstractContextManager[Statsd | Collector]]
) -> None:
    with receiver() as listening:
        assert installation.run(dry_run=False) == "success"
        received = listening.received()
    [row] = installation.status("select * from lapsewatch.run_metrics")
    whose = {"run_type": "manual", "provider": "fastly"}
    assert value(received, "domains.checked", **whose) == row["checked_count"] > 0
    assert value(received, "domains.lapsed", **whose) == row["newly_lapsed_count"] == len(LAPSED)
    assert value(received, "addresses.unverified", **whose) == row["unverified_count"] == len(LAPSED)
    assert value(received, "addresses.would_be_unverified", **whose) == 0
    assert value(received, "api.calls", **whose) == row["api_call_count"] > 0
    assert value(received, "api.no_evidence", **whose) == row["no_evidence_count"]
    assert value(received, "run.succeeded_at", run_type="manual") == int(row["finished_at"].timestamp())
    [coverage] = installation.status("select * from lapsewatch.coverage")
    assert value(received, "coverage.share") == pytest.approx(float(coverage["fresh_share"]), abs=1e-4)
    assert value(received, "domains.in_use") == coverage["in_use_count"]
    for phase in installation.status("select phase, domain_count from lapsewatch.status_by_phase"):
        assert value(received, "domains.in_phase", phase=phase["phase"]) == phase["domain_count"]


def test_a_dry_run_tells_what_it_would_do(installation: Installation) -> None:
    with statsd() as listening:
        assert installation.run() == "success"
        received = listening.received()
    assert value(received, "addresses.would_be_unverified") == len(LAPSED)
    assert value(received, "addresses.unverified") == 0


def test_a_run_that_is_repeated_counts_nothing_twice(installation: Installation) -> None:
    with statsd() as listening:
        assert installation.run(dry_run=False) == "success"
        listening.received()
        assert installation.run(dry_run=False) == "success"
        again = listening.received()
    assert {metric.value for metric in again if metric.kind == "c"} == {0}


def test_no_domain_is_named(installation: Installation) -> None:
    with statsd() as listening:
        installation.run(dry_run=False)
        told = {part for metric in listening.received() for tag in metric.tags for part in tag}
    known = {row["domain"] for row in installation.status("select domain from lapsewatch.domain_status")}
    assert told
    assert not told & known
