import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS
from lapsewatch.core.errors import SetupError
from lapsewatch.params import (
    approval_timeout,
    keep_checks_months,
    read_limits,
    refuse_unknown,
    run_deadline,
    run_params,
)

from local.checkout import ROOT


def resolve(name: str, value: Any) -> Any:
    return run_params()[name].resolve(value)


def test_defaults_are_the_careful_ones() -> None:
    defaults = {name: param.resolve() for name, param in run_params().items()}
    assert defaults == {
        "dry_run": True,
        "scope": "due",
        "domains": [],
        "recheck": False,
        "client": "fastly",
        "requests_per_second": None,
        "policy": "corroborated",
        "cadence": "adaptive",
        "calls_per_domain_year": 12.0,
        "max_rdap_calls": 10000,
        "max_advice": 100,
        "max_unverifications": 100,
        "max_address_share": 0.01,
        "max_domain_share": 0.05,
        "max_growth": 5.0,
        "max_unverifications_per_tld": 50,
        "max_address_share_per_tld": 0.05,
        "max_domain_share_per_tld": 0.2,
        "max_growth_per_tld": 5.0,
    }
    assert read_limits(defaults) == (RUN_LIMITS, TLD_LIMITS)


def test_the_daily_run_has_a_deadline_within_the_time_for_an_answer_unless_it_is_to_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS")
    by_default = run_deadline()
    assert by_default is not None
    assert by_default < approval_timeout()
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS", "1.5")
    assert run_deadline() == timedelta(minutes=90)
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__RUN_DEADLINE_HOURS", "0")
    assert run_deadline() is None


def test_the_owner_sets_defaults_in_airflows_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__DRY_RUN", "false")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__CLIENT", "domainr")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__POLICY", "rubygems")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_RDAP_CALLS", "50")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__CADENCE", "monthly")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__CALLS_PER_DOMAIN_YEAR", "24.5")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_UNVERIFICATIONS", "7")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_DOMAIN_SHARE_PER_TLD", "0.5")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__APPROVAL_TIMEOUT_HOURS", "0.5")
    defaults = {name: param.resolve() for name, param in run_params().items()}
    assert (defaults["dry_run"], defaults["client"], defaults["max_unverifications"]) == (False, "domainr", 7)
    assert (defaults["policy"], defaults["max_rdap_calls"]) == ("rubygems", 50)
    assert (defaults["cadence"], defaults["calls_per_domain_year"]) == ("monthly", 24.5)
    assert defaults["max_domain_share_per_tld"] == 0.5
    assert approval_timeout() == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", "some"),
        ("client", "whois"),
        ("dry_run", "perhaps"),
        ("max_unverifications", -1),
        ("max_address_share", 1.5),
        ("max_domain_share_per_tld", -0.1),
        ("max_growth", 0),
        ("max_advice", -1),
        ("policy", "lenient"),
        ("max_rdap_calls", -1),
        ("cadence", "weekly"),
        ("calls_per_domain_year", 0),
        ("calls_per_domain_year", "12"),
        ("domains", [7]),
        ("recheck", "yes"),
        ("recheck", 1),
        ("requests_per_second", 0),
        ("requests_per_second", -1),
        ("requests_per_second", 1e-300),
        ("requests_per_second", "20"),
    ],
)
def test_a_bad_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        resolve(name, value)


@pytest.mark.parametrize("configuration", [{"rechek": True}, {"scope": "due", "dry-run": False}, {"me@example.com": 1}])
def test_a_slip_of_the_pen_is_refused_and_no_address_repeated(configuration: dict[str, Any]) -> None:
    with pytest.raises(SetupError, match="which is no Param: there are dry_run, scope,") as refused:
        refuse_unknown(configuration)
    assert "me@" not in str(refused.value)


@pytest.mark.parametrize("configuration", [None, {}, {"scope": "all", "requests_per_second": 5}])
def test_a_configuration_of_params_is_accepted(configuration: dict[str, Any] | None) -> None:
    refuse_unknown(configuration)


@pytest.mark.parametrize("value", [None, 0.5, 200])
def test_a_run_may_have_a_rate_of_its_own(value: float | None) -> None:
    assert resolve("requests_per_second", value) == value


@pytest.mark.parametrize(("value", "months"), [("13", 13), ("2", 2), ("1200", 1200)])
def test_how_long_checks_are_kept_is_a_setting(monkeypatch: pytest.MonkeyPatch, value: str, months: int) -> None:
    assert keep_checks_months() == 13
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__KEEP_CHECKS_MONTHS", value)
    assert keep_checks_months() == months


@pytest.mark.parametrize("value", ["0", "1", "", "-3", "2.5", "all", "1201"])
def test_checks_are_not_dropped_by_a_setting_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__KEEP_CHECKS_MONTHS", value)
    with pytest.raises(SetupError, match=r"'keep_checks_months' .* from 2 to 1200, not"):
        keep_checks_months()


def test_the_readme_tells_every_param_and_its_default() -> None:
    table = (ROOT / "README.md").read_text().split("## The DAG's Params")[1].split("## ")[0]
    for name, param in run_params().items():
        default = json.dumps(param.resolve()).strip('"')
        assert f"| `{name}` | `{default}` |" in table
