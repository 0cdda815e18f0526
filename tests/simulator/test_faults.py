import json
import logging
import time
from pathlib import Path

import pytest
import requests

from simulator.faults import KINDS, Service

from .conftest import KEY

BOTH = pytest.mark.parametrize("api", ["fastly", "domainr"])


def entry(answer: requests.Response) -> dict[str, str]:
    """The part of either API's answer that speaks of a domain."""
    content = answer.json()
    return content["status"][0] if isinstance(content.get("status"), list) else content


@BOTH
@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"kind": "server_error", "status": 503}, 503),
        ({"kind": "server_error", "status": 520}, 520),
        ({"kind": "refused", "status": 401}, 401),
        ({"kind": "refused", "status": 403}, 403),
        ({"kind": "rate_limited", "seconds": 7}, 429),
    ],
)
def test_refusals(simulator, api, rule, status):
    simulator.order(rule)
    answer = getattr(simulator, api)("kept.com")
    assert answer.status_code == status
    assert answer.json()["errors"]
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)


@BOTH
def test_timeout_answers_late(simulator, api):
    simulator.order({"kind": "timeout", "seconds": 0.15})
    answer = getattr(simulator, api)("kept.com")
    assert answer.elapsed.total_seconds() >= 0.15
    assert entry(answer)["status"] == "active"


def test_timeout_ends_when_the_caller_has_left(simulator):
    simulator.order({"kind": "timeout", "seconds": 300, "times": 1})
    with pytest.raises(requests.ReadTimeout):
        requests.get(
            f"{simulator.url}/v2/status",
            params={"domain": "kept.com", "client_id": KEY},
            timeout=0.1,
        )
    deadline = time.monotonic() + 2
    while not simulator.calls()["by_status"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert simulator.calls()["by_status"] == {"200": 1}


@BOTH
def test_not_json(simulator, api):
    simulator.order({"kind": "not_json"})
    answer = getattr(simulator, api)("kept.com")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@BOTH
def test_truncated(simulator, api, caplog):
    logging.getLogger("uvicorn.error").addHandler(caplog.handler)
    simulator.order({"kind": "truncated", "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        getattr(simulator, api)("kept.com")
    assert entry(getattr(simulator, api)("kept.com"))["status"] == "active"
    logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert not caplog.records


@BOTH
def test_oversized_is_a_good_answer_of_a_bad_size(simulator, api):
    simulator.order({"kind": "oversized"})
    answer = getattr(simulator, api)("kept.com")
    assert len(answer.content) > 1_000_000
    assert entry(answer)["status"] == "active"


@BOTH
def test_dripping_takes_its_time(simulator, api):
    simulator.order({"kind": "dripping"})
    begun = time.monotonic()
    answer = getattr(simulator, api)("kept.com")
    # Twenty milliseconds a byte; a clock may tick a little early.
    assert time.monotonic() - begun >= 0.01 * len(answer.content)
    assert entry(answer)["status"] == "active"


@BOTH
def test_nested_is_deeper_than_a_parser_follows(simulator, api):
    simulator.order({"kind": "nested"})
    with pytest.raises((RecursionError, requests.JSONDecodeError)):
        getattr(simulator, api)("kept.com").json()


@BOTH
def test_mislabelled_is_not_what_it_says(simulator, api):
    simulator.order({"kind": "mislabelled"})
    answer = getattr(simulator, api)("kept.com")
    assert answer.encoding == "utf-7"
    assert json.loads(answer.content)


@BOTH
def test_no_status(simulator, api):
    simulator.order({"kind": "no_status"})
    answer = entry(getattr(simulator, api)("kept.com"))
    assert answer["domain"] == "kept.com"
    assert "status" not in answer


@BOTH
def test_other_domain(simulator, api):
    simulator.order({"kind": "other_domain"})
    answer = entry(getattr(simulator, api)("kept.com"))
    assert answer["domain"] not in ("kept.com", "")
    assert answer["status"] == "active"


@BOTH
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("unknown_flag", "undelegated quarantined"),
        ("unknown_storm", "unknown"),
        ("false_inactive", "undelegated inactive"),
    ],
)
def test_wrong_statuses(simulator, api, kind, status):
    simulator.order({"kind": kind})
    assert entry(getattr(simulator, api)("kept.com"))["status"] == status


def test_a_rule_strikes_its_domains_and_its_tld_only(simulator):
    simulator.order(
        {"kind": "unknown_storm", "domains": ["kept.com"]},
        {"kind": "unknown_storm", "tld": "uk"},
        {"kind": "unknown_storm", "tld": "om"},
    )
    domains = ("kept.com", "late.com", "some.co.uk", "suk.com")
    assert [simulator.status_of(domain) == "unknown" for domain in domains] == [True, False, True, False]


def test_a_rule_strikes_so_many_times_and_the_first_that_strikes_decides(simulator):
    simulator.order({"kind": "unknown_storm", "times": 2}, {"kind": "server_error", "status": 500, "times": 1})
    assert [simulator.fastly("kept.com").json().get("status") for _ in range(4)] == [
        "unknown",
        "unknown",
        None,
        "active",
    ]


def test_a_share_strikes_the_same_calls_again(simulator):
    simulator.order({"kind": "server_error", "status": 500, "share": 0.4})

    def failed() -> list[tuple[str, int]]:
        requests.delete(f"{simulator.url}/_simulator/calls", timeout=5)
        return [
            (domain, call)
            for domain in ("kept.com", "late.com", "gone.com")
            for call in range(20)
            if simulator.fastly(domain).status_code == 500
        ]

    first = failed()
    assert 10 < len(first) < 40
    assert failed() == first
    by_domain = {domain: [call for struck, call in first if struck == domain] for domain, _ in first}
    assert len({tuple(calls) for calls in by_domain.values()}) == 3


def test_bad_requests_do_not_use_a_rule_up(simulator):
    simulator.order({"kind": "unknown_storm", "times": 1})
    assert simulator.fastly("Kept.com").status_code == 400
    assert simulator.fastly("kept.com", key="wrong").status_code == 403
    assert simulator.status_of("kept.com") == "unknown"


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([{"kind": "earthquake"}], "server_error"),
        ([{"share": 1}], "kind"),
        ([{"kind": "not_json", "share": 1.5}], "share"),
        ([{"kind": "not_json", "share": "1"}], "share"),
        ([{"kind": "not_json", "times": -1}], "times"),
        ([{"kind": "not_json", "times": 1.5}], "times"),
        ([{"kind": "not_json", "domains": "kept.com"}], "domains"),
        ([{"kind": "not_json", "domains": []}], "domains"),
        ([{"kind": "not_json", "tld": ".com"}], "tld"),
        ([{"kind": "not_json", "colour": "red"}], "colour"),
        ([{"kind": "not_json", "seconds": 1}], "seconds"),
        ([{"kind": "not_json", "status": 500}], "status"),
        ([{"kind": "timeout"}], "seconds"),
        ([{"kind": "rate_limited"}], "seconds"),
        ([{"kind": "rate_limited", "seconds": 1.5}], "whole"),
        ([{"kind": "server_error"}], "status"),
        ([{"kind": "server_error", "status": 404}], "404"),
        ([{"kind": "refused", "status": 500}], "500"),
        ({"kind": "not_json"}, "array"),
    ],
)
def test_a_bad_rule_is_refused_with_the_reason_and_changes_nothing(simulator, rules, why):
    simulator.order({"kind": "unknown_storm"})
    answer = requests.put(f"{simulator.url}/_simulator/faults", json=rules, timeout=5)
    assert answer.status_code == 422
    assert why in " ".join(error["detail"] for error in answer.json()["errors"])
    assert simulator.status_of("kept.com") == "unknown"


def test_every_kind_is_tried_here():
    # So that a new kind does not go untested: its name must stand in one of the tests above.
    text = Path(__file__).read_text()
    assert [
        kind for kind in KINDS[Service.STATUS] if f'"kind": "{kind}"' not in text and f'("{kind}"' not in text
    ] == []
