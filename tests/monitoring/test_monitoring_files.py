"""The dashboard, the alert rules and the mapping speak of what the code sends, all of it and nothing else."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml
from lapsewatch.telemetry import publish_figures, publish_overdue

from local.checkout import ROOT
from tests.monitoring.receivers import Metric, statsd
from tests.test_telemetry import FIGURES, NOW, RUN

MONITORING = ROOT / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana/lapsewatch.json").read_text())
RULES = yaml.safe_load((MONITORING / "prometheus/lapsewatch.rules.yaml").read_text())["groups"][0]["rules"]
CASES = yaml.safe_load((MONITORING / "prometheus/lapsewatch.tests.yaml").read_text())["tests"]
MAPPINGS = yaml.safe_load((MONITORING / "statsd_exporter/mapping.yaml").read_text())["mappings"]
MANUAL = (ROOT / "docs/monitoring.md").read_text()

KINDS = {"c": "counter", "g": "gauge"}
METRIC = re.compile(r"airflow_lapsewatch_\w+")
SELECTOR = re.compile(r"(airflow_lapsewatch_\w+)\{([^}]*)\}")
BY = re.compile(r"by \(([^)]*)\) \([^{(]*\(?(airflow_lapsewatch_\w+)")


@pytest.fixture(scope="module")
def sent() -> list[Metric]:
    """All that a run that succeeds, one that fails and one that is late have sent."""
    with statsd() as listening:
        for state in ("success", "failed"):
            publish_figures(RUN, "scheduled", {}, FIGURES | {"state": state})
        publish_overdue(NOW)
        return listening.received()


def in_prometheus(metric: Metric) -> str:
    """The name that the StatsD exporter gives it, by the mapping or its own rule."""
    for mapping in MAPPINGS:
        match = re.fullmatch(mapping["match"], metric.name)
        if match and mapping["match_metric_type"] == KINDS[metric.kind]:
            return match.expand(re.sub(r"\$\{(\d)\}", r"\\\1", mapping["name"]))
    return metric.name.replace(".", "_")


def labels(sent: list[Metric]) -> dict[str, set[str]]:
    return {in_prometheus(metric): {name for name, _ in metric.tags} for metric in sent}


def dashboard_expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def rule_expressions() -> list[str]:
    return [rule["expr"] for rule in RULES]


def names(texts: list[str]) -> set[str]:
    return {name for text in texts for name in METRIC.findall(text)}


def test_counters_are_named_in_prometheus_as_opentelemetry_names_them(sent: list[Metric]) -> None:
    for metric in sent:
        assert in_prometheus(metric).endswith("_total") == (metric.kind == "c"), metric


def test_the_dashboard_shows_all_that_is_sent_and_nothing_else(sent: list[Metric]) -> None:
    assert names(dashboard_expressions()) == set(labels(sent))


def test_rules_and_their_cases_are_about_what_is_sent(sent: list[Metric]) -> None:
    assert names(rule_expressions()) <= set(labels(sent))
    series = [series["series"] for case in CASES for series in case["input_series"]]
    assert names(series) == names(rule_expressions())


def test_what_is_asked_of_a_metric_is_among_its_tags(sent: list[Metric]) -> None:
    asked = 0
    for expression in dashboard_expressions() + rule_expressions():
        for metric, selectors in SELECTOR.findall(expression):
            asked += 1
            assert set(re.findall(r"(\w+)!?=", selectors)) <= labels(sent)[metric], expression
        for grouping, metric in BY.findall(expression):
            asked += 1
            assert set(grouping.split(", ")) <= labels(sent)[metric], expression
    assert asked > len(RULES)


def test_the_manual_names_all_that_is_sent(sent: list[Metric]) -> None:
    assert set(re.findall(r"`(lapsewatch\.\w+\.\w+)`", MANUAL)) == {
        metric.name.removeprefix("airflow.") for metric in sent
    }


def test_what_the_manual_has_people_set_can_be_set_in_env() -> None:
    section = re.findall(r"(?m)^(statsd_\w+) = ", MANUAL)
    told = set(re.findall(r"(?m)^((?:AIRFLOW__METRICS|OTEL)_\w+)=", MANUAL))
    told |= {f"AIRFLOW__METRICS__{name.upper()}" for name in section}
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["x-airflow-environment"]
    example = (ROOT / ".env.example").read_text()
    assert told
    assert told == {name for name in compose if re.match("AIRFLOW__METRICS|OTEL", name)}
    assert told == set(re.findall(r"(?m)^# ((?:AIRFLOW__METRICS|OTEL)_\w+)=", example))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do_and_has_cases(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    file, anchor = rule["annotations"]["runbook"].split("#")
    assert anchor in set(anchors((ROOT / file).read_text()))
    checks = [
        check for case in CASES for check in case["promql_expr_test"] if f'alertname="{rule["alert"]}"' in check["expr"]
    ]
    assert any(check["exp_samples"] for check in checks)
    assert any(not check["exp_samples"] for check in checks)
    assert f"`{rule['alert']}`" in MANUAL


def anchors(document: str) -> Iterator[str]:
    """The anchors that a Markdown file's headings have."""
    for heading in re.findall(r"(?m)^#+ (.*)$", document):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_dashboard_asks_whose_prometheus_it_is_and_claims_no_identity() -> None:
    assert not {"id", "uid"} & DASHBOARD.keys()
    [variable] = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    for panel in DASHBOARD["panels"]:
        for source in (panel, *panel["targets"]):
            assert source["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_the_dashboards_panels_have_names_and_room() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
