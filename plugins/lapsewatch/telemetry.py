"""A run's figures for whoever watches it: StatsD or OpenTelemetry, as Airflow's section `[metrics]` says.

What runs add up is a counter; how things stand is a gauge, of which the last value holds. Tags are the run's type, its
provider, and phases: never a domain. Where metrics are off, or nobody listens, nothing happens.
`docs/monitoring.md` is the manual.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk.observability import stats
from sqlalchemy import Engine

from lapsewatch.core.lifecycle import Phase
from lapsewatch.stages.run import Run
from lapsewatch.status_database.statements import statement

PREFIX = "lapsewatch."

COUNTED = {
    "domains.checked": "checked_count",
    "domains.lapsed": "newly_lapsed_count",
    "addresses.unverified": "unverified_count",
    "addresses.would_be_unverified": "would_be_count",
    "api.calls": "api_call_count",
    "api.no_evidence": "no_evidence_count",
}
"""Counters, and the figure of the run that each adds."""

DAY = timedelta(days=1)
DAYS_OF_A_YEAR = 365

Figures = Mapping[str, Any]


def read_figures(run: Run, status: Engine) -> Figures:
    """Return what the run's summary says; nothing before it is summed up, and no checks once it is planned anew."""
    with status.begin() as connection:
        found = connection.execute(statement("select_run_metrics"), {"run_id": run.run_id}).mappings().one_or_none()
    return dict(found or {})


def publish_figures(run: Run, run_type: str, before: Figures, figures: Figures) -> None:
    """Count what the run's summary says beyond `before`, an earlier summary of the same run, and set the gauges.

    So a summary that is written again counts nothing twice. What a task is killed before it counts is lost.
    """
    tags = {"run_type": run_type, "provider": figures["provider"]}
    for name, column in COUNTED.items():
        # Nothing is counted as well: with it a series begins at zero.
        stats.incr(PREFIX + name, max(figures[column] - before.get(column, 0), 0), tags=tags)
    for name, value in _how_it_went(figures).items():
        stats.gauge(PREFIX + name, value, tags={"run_type": run_type})
    for name, value in _how_domains_stand(run, figures).items():
        stats.gauge(PREFIX + name, value)
    for phase in Phase:
        stats.gauge(f"{PREFIX}domains.in_phase", figures["phases"].get(phase, 0), tags={"phase": phase.value})


def publish_overdue(at: datetime) -> None:
    """Say when a daily run was found not to have succeeded by its deadline."""
    stats.gauge(f"{PREFIX}run.overdue_at", int(at.timestamp()))


def _how_it_went(figures: Figures) -> dict[str, float]:
    """What is known of the last run of a type; times are seconds since 1970."""
    finished = figures["finished_at"]
    ended = "succeeded" if figures["state"] == "success" else "failed"
    lasted = finished - (figures["started_at"] or finished)
    return {f"run.{ended}_at": int(finished.timestamp()), "run.duration_seconds": lasted.total_seconds()}


def _how_domains_stand(run: Run, figures: Figures) -> dict[str, float]:
    """What is known of all domains in use, whichever run has looked last."""
    in_use, oldest = figures["in_use_count"], figures["oldest_checked_at"]
    stand = {"domains.in_use": in_use, "api.daily_pace": in_use * run.calls_per_domain_year / DAYS_OF_A_YEAR}
    if in_use:
        stand["coverage.share"] = figures["fresh_count"] / in_use
    if oldest:
        stand["coverage.oldest_days"] = (figures["finished_at"] - oldest) / DAY
    return stand
