"""Prometheus' own judgement of the alert rules. It needs the Debian package `prometheus`: `make test-full`."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from local.checkout import ROOT

RULES = ROOT / "monitoring/prometheus"
DASHBOARD = ROOT / "monitoring/grafana/lapsewatch.json"


def promtool(*arguments: str | Path) -> None:
    """Have Prometheus' tool check something, and fail with what it says."""
    command = shutil.which("promtool")
    if command is None:
        pytest.fail("promtool is missing: install the Debian package 'prometheus'")
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_rules() -> None:
    promtool("check", "rules", RULES / "lapsewatch.rules.yaml")


def test_each_alert_is_raised_when_it_must_be_and_not_otherwise() -> None:
    promtool("test", "rules", RULES / "lapsewatch.tests.yaml")


def test_the_dashboards_expressions_are_promql(tmp_path: Path) -> None:
    expressions = [
        target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]
    ]
    rules = [{"record": f"panel_{number}", "expr": expression} for number, expression in enumerate(expressions)]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", file)
