import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS
from lapsewatch.params import approval_timeout, read_limits, run_params

from local.checkout import ROOT


def resolve(name: str, value: Any) -> Any:
    return run_params()[name].resolve(value)


def test_defaults_are_the_careful_ones() -> None:
    defaults = {name: param.resolve() for name, param in run_params().items()}
    assert defaults == {
        "dry_run": True,
        "scope": "due",
        "domains": [],
        "client": "fastly",
        "policy": "corroborated",
        "max_rdap_calls": 2000,
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


def test_the_owner_sets_defaults_in_airflows_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__DRY_RUN", "false")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__CLIENT", "domainr")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__POLICY", "rubygems")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_RDAP_CALLS", "50")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_UNVERIFICATIONS", "7")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_DOMAIN_SHARE_PER_TLD", "0.5")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__APPROVAL_TIMEOUT_HOURS", "0.5")
    defaults = {name: param.resolve() for name, param in run_params().items()}
    assert (defaults["dry_run"], defaults["client"], defaults["max_unverifications"]) == (False, "domainr", 7)
    assert (defaults["policy"], defaults["max_rdap_calls"]) == ("rubygems", 50)
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
        ("domains", [7]),
    ],
)
def test_a_bad_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        resolve(name, value)


def test_the_readme_tells_every_param_and_its_default() -> None:
    table = (ROOT / "README.md").read_text().split("## The DAG's Params")[1].split("## ")[0]
    for name, param in run_params().items():
        default = json.dumps(param.resolve()).strip('"')
        assert f"| `{name}` | `{default}` |" in table
