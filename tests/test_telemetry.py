"""What is sent of a summary, as a StatsD server receives it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lapsewatch.core.lifecycle import Phase
from lapsewatch.stages.run import Run
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.telemetry import publish_figures, publish_overdue, read_figures
from sqlalchemy import Engine, text

from tests.monitoring.receivers import Metric, Statsd, sending, statsd

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
RUN = Run("one", as_of=NOW, calls_per_domain_year=12)
FIGURES: dict[str, Any] = {
    "state": "success",
    "provider": "fastly",
    "checked_count": 40,
    "no_evidence_count": 3,
    "newly_lapsed_count": 2,
    "unverified_count": 5,
    "would_be_count": 0,
    "api_call_count": 45,
    "in_use_count": 365,
    "fresh_count": 73,
    "oldest_checked_at": NOW - timedelta(days=33, hours=12),
    "started_at": NOW - timedelta(hours=1),
    "finished_at": NOW,
    "phases": {"active": 360, "expired": 5},
}


@pytest.fixture
def server() -> Iterator[Statsd]:
    with statsd() as listening:
        yield listening


def counters(metrics: list[Metric]) -> dict[str, float]:
    return {metric.name.removeprefix("airflow.lapsewatch."): metric.value for metric in metrics if metric.kind == "c"}


def gauges(metrics: list[Metric]) -> dict[str, float]:
    return {
        metric.name.removeprefix("airflow.lapsewatch."): metric.value
        for metric in metrics
        if metric.kind == "g" and "phase" not in dict(metric.tags)
    }


def test_a_run_adds_what_it_has_done(server: Statsd) -> None:
    publish_figures(RUN, "scheduled", {}, FIGURES)
    received = server.received()
    assert counters(received) == {
        "domains.checked": 40,
        "domains.lapsed": 2,
        "addresses.unverified": 5,
        "addresses.would_be_unverified": 0,
        "api.calls": 45,
        "api.no_evidence": 3,
    }
    whose = {("run_type", "scheduled"), ("provider", "fastly")}
    assert {metric.tags for metric in received if metric.kind == "c"} == {frozenset(whose)}


def test_a_summary_that_is_written_again_adds_only_what_is_new(server: Statsd) -> None:
    publish_figures(RUN, "scheduled", FIGURES, FIGURES)
    first = server.received()
    assert set(counters(first).values()) == {0}
    publish_figures(RUN, "scheduled", FIGURES, FIGURES | {"api_call_count": 47, "checked_count": 39})
    # A run that is planned anew may have fewer rows than before; nothing is taken back.
    assert {name: value for name, value in counters(server.received()).items() if value} == {"api.calls": 2}
    assert gauges(first)["coverage.share"] == 0.2


def test_how_things_stand_is_told_as_it_is(server: Statsd) -> None:
    publish_figures(RUN, "scheduled", {}, FIGURES)
    assert gauges(server.received()) == {
        "domains.in_use": 365,
        "coverage.share": 0.2,
        "coverage.oldest_days": 33.5,
        "api.daily_pace": 12,
        "run.succeeded_at": NOW.timestamp(),
        "run.duration_seconds": 3600,
    }


def test_a_failure_leaves_the_last_success_as_it_was(server: Statsd) -> None:
    publish_figures(RUN, "backfill", {}, FIGURES | {"state": "failed", "started_at": None})
    received = server.received()
    assert gauges(received)["run.failed_at"] == NOW.timestamp()
    assert gauges(received)["run.duration_seconds"] == 0
    assert "run.succeeded_at" not in gauges(received)
    of_runs = {metric.tags for metric in received if metric.name.startswith("airflow.lapsewatch.run.")}
    assert of_runs == {frozenset({("run_type", "backfill")})}


def test_every_phase_is_told_so_that_one_which_all_have_left_is_not_remembered(server: Statsd) -> None:
    publish_figures(RUN, "scheduled", {}, FIGURES)
    told = {dict(metric.tags).get("phase"): metric.value for metric in server.received()}
    assert {phase: told[phase] for phase in Phase} == dict.fromkeys(Phase, 0) | {"active": 360, "expired": 5}


def test_where_nobody_is_to_be_checked_there_is_no_coverage(server: Statsd) -> None:
    publish_figures(RUN, "scheduled", {}, FIGURES | {"in_use_count": 0, "fresh_count": 0, "oldest_checked_at": None})
    assert not {name for name in gauges(server.received()) if name.startswith("coverage")}


def test_a_run_that_is_late_is_told_when_it_is_noticed(server: Statsd) -> None:
    publish_overdue(NOW)
    assert gauges(server.received()) == {"run.overdue_at": NOW.timestamp()}


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_without_a_listener_nothing_happens(host: str) -> None:
    with sending(
        AIRFLOW__METRICS__STATSD_ON="true", AIRFLOW__METRICS__STATSD_HOST=host, AIRFLOW__METRICS__STATSD_PORT="9"
    ):
        publish_figures(RUN, "scheduled", {}, FIGURES)


def test_there_is_nothing_to_read_before_the_summary(status: Engine) -> None:
    assert read_figures(RUN, status) == {}


def test_a_run_that_is_planned_anew_adds_all_that_it_asks_again(status: Engine) -> None:
    summarise_run(RUN, status)
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.run_metrics"
                " set checked_count = 40, no_evidence_count = 3, api_call_count = 45, unverified_count = 5"
            )
        )
        connection.execute(
            text(
                "insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count,"
                " api_interval) select run_id, finished_at - interval '1 hour', 0, true, 43, 1, 30"
                " from lapsewatch.run_metrics"
            )
        )
    of_the_plan = {"checked_count": 40, "no_evidence_count": 3, "api_call_count": 45}
    assert read_figures(RUN, status).items() >= (of_the_plan | {"unverified_count": 5}).items()
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.run_plan set planned_at = planned_at + interval '2 hours'"))
    before = read_figures(RUN, status)
    assert before.items() >= (dict.fromkeys(of_the_plan, 0) | {"unverified_count": 5}).items()
