from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from lapsewatch.core.errors import SetupError
from lapsewatch.params import listed_domains, run_params


def resolve(name: str, value: Any) -> Any:
    return run_params()[name].resolve(value)


def test_defaults_are_the_careful_ones() -> None:
    defaults = {name: param.resolve() for name, param in run_params().items()}
    assert defaults == {
        "dry_run": True,
        "scope": "due",
        "domains": [],
        "client": "fastly",
        "max_unverifications": 1000,
    }


def test_the_owner_sets_defaults_in_airflows_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__DRY_RUN", "false")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__CLIENT", "domainr")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__MAX_UNVERIFICATIONS", "7")
    defaults = {name: param.resolve() for name, param in run_params().items()}
    assert (defaults["dry_run"], defaults["client"], defaults["max_unverifications"]) == (False, "domainr", 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("scope", "some"), ("client", "whois"), ("dry_run", "perhaps"), ("max_unverifications", -1), ("domains", [7])],
)
def test_a_bad_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        resolve(name, value)


def test_a_list_becomes_registrable_domains_each_once() -> None:
    params = {"scope": "list", "domains": ["Example.com", "mail.example.com", " münchen.de "]}
    assert listed_domains(params) == ("example.com", "xn--mnchen-3ya.de")


def test_without_a_list_there_is_none() -> None:
    assert listed_domains({"scope": "due", "domains": []}) == ()


@pytest.mark.parametrize(
    "params",
    [
        {"scope": "list", "domains": []},
        {"scope": "list", "domains": ["co.uk"]},
        {"scope": "list", "domains": ["good.com", "not a domain"]},
        {"scope": "all", "domains": ["good.com"]},
    ],
)
def test_a_list_that_makes_no_sense_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(SetupError, match="'domains'"):
        listed_domains(params)
