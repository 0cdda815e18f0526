import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from simulator.faults import KINDS, Service

from .conftest import Served, simulating

SERVICES = pytest.mark.parametrize("service", ["rdap", "bootstrap"])


def ask(simulator: Served, service: str) -> requests.Response:
    return simulator.rdap("verisign", "kept.com") if service == "rdap" else simulator.bootstrap()


@SERVICES
@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"kind": "server_error", "status": 503}, 503),
        ({"kind": "refused", "status": 401}, 401),
        ({"kind": "refused", "status": 403}, 403),
        ({"kind": "rate_limited", "seconds": 7}, 429),
    ],
)
def test_refusals(simulator, service, rule, status):
    simulator.order({"service": service, **rule})
    answer = ask(simulator, service)
    assert answer.status_code == status
    assert answer.json()["errorCode"] == status
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)


def test_rdap_refuses_with_422_too(simulator):
    simulator.order({"service": "rdap", "kind": "refused", "status": 422})
    answer = ask(simulator, "rdap")
    assert answer.status_code == answer.json()["errorCode"] == 422


@SERVICES
def test_timeout_answers_late(simulator, service):
    simulator.order({"service": service, "kind": "timeout", "seconds": 0.15})
    answer = ask(simulator, service)
    assert answer.elapsed.total_seconds() >= 0.15
    assert answer.status_code == 200


@SERVICES
def test_not_json(simulator, service):
    simulator.order({"service": service, "kind": "not_json"})
    answer = ask(simulator, service)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@SERVICES
def test_truncated(simulator, service):
    simulator.order({"service": service, "kind": "truncated", "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(simulator, service)
    assert ask(simulator, service).json()


@SERVICES
def test_oversized_is_a_good_answer_of_a_bad_size(simulator, service):
    simulator.order({"service": service, "kind": "oversized"})
    answer = ask(simulator, service)
    assert len(answer.content) > 1_000_000
    assert answer.json()


@SERVICES
def test_nested_is_deeper_than_a_parser_follows(simulator, service):
    simulator.order({"service": service, "kind": "nested"})
    with pytest.raises((RecursionError, requests.JSONDecodeError)):
        ask(simulator, service).json()


@SERVICES
def test_mislabelled_is_not_what_it_says(simulator, service):
    simulator.order({"service": service, "kind": "mislabelled"})
    answer = ask(simulator, service)
    assert answer.encoding == "utf-7"
    assert json.loads(answer.content)


@SERVICES
def test_dripping_comes_bit_by_bit(simulator, service):
    simulator.order({"service": service, "kind": "dripping"})
    path = "/rdap/dns.json" if service == "bootstrap" else "/rdap/verisign/domain/kept.com"
    with requests.get(f"{simulator.url}{path}", stream=True, timeout=5) as answer:
        begun = time.monotonic()
        assert len(answer.raw.read(10)) == 10
        assert time.monotonic() - begun >= 0.1


def test_no_status(simulator):
    simulator.order({"service": "rdap", "kind": "no_status"})
    record = ask(simulator, "rdap").json()
    assert record["objectClassName"] == "domain"
    assert "status" not in record


def test_other_domain(simulator):
    simulator.order({"service": "rdap", "kind": "other_domain"})
    assert ask(simulator, "rdap").json()["ldhName"] not in ("KEPT.COM", "")


def test_unknown_flag(simulator):
    simulator.order({"service": "rdap", "kind": "unknown_flag"})
    assert ask(simulator, "rdap").json()["status"] == ["quarantined"]


def test_wrong_object(simulator):
    simulator.order({"service": "rdap", "kind": "wrong_object"})
    answer = ask(simulator, "rdap")
    assert answer.status_code == 200
    assert answer.json()["objectClassName"] == "entity"


def test_error_with_200(simulator):
    simulator.order({"service": "rdap", "kind": "error_with_200"})
    answer = ask(simulator, "rdap")
    assert answer.status_code == 200
    assert answer.json()["errorCode"] == 404


def test_not_found_is_a_lie(simulator):
    simulator.order({"service": "rdap", "kind": "not_found", "times": 1})
    assert [ask(simulator, "rdap").status_code for _ in range(2)] == [404, 200]


def test_a_rule_strikes_its_domains_its_tld_and_its_service_only(simulator):
    simulator.order(
        {"service": "rdap", "kind": "not_found", "domains": ["kept.com"]},
        {"service": "rdap", "kind": "server_error", "status": 500, "tld": "org"},
    )
    assert ask(simulator, "rdap").status_code == 404
    assert simulator.rdap("registrar", "kept.com").status_code == 404
    assert simulator.rdap("verisign", "late.com").status_code == 200
    assert simulator.rdap("pir", "nobody.org").status_code == 500
    assert simulator.status_of("kept.com") == "active"
    assert simulator.bootstrap().status_code == 200
    assert simulator.dig("kept.com", "NS").answer


def test_bad_requests_do_not_use_a_rule_up(simulator):
    simulator.order({"service": "rdap", "kind": "not_found", "times": 1})
    assert simulator.rdap("verisign", "Kept.com").status_code == 400
    assert simulator.rdap("pir", "kept.com").status_code == 400
    assert ask(simulator, "rdap").status_code == 404


def test_a_share_strikes_other_calls_than_the_status_apis(simulator):
    def struck(service: str) -> list[int]:
        simulator.order({"service": service, "kind": "server_error", "status": 500, "share": 0.5})
        ask_one = simulator.fastly if service == "status" else lambda domain: simulator.rdap("verisign", domain)
        return [call for call in range(30) if ask_one("kept.com").status_code == 500]

    rdap, status = struck("rdap"), struck("status")
    assert 5 < len(rdap) < 25
    assert rdap != status


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"service": "whois", "kind": "timeout", "seconds": 1}, "service"),
        ({"service": "rdap", "kind": "unknown_storm"}, "rdap has no fault unknown_storm"),
        ({"service": "rdap", "kind": "servfail"}, "rdap has no fault servfail"),
        ({"service": "rdap", "kind": "refused", "status": 404}, "404"),
        ({"service": "rdap", "kind": "refused"}, "status"),
        ({"service": "rdap", "kind": "timeout"}, "seconds"),
        ({"service": "status", "kind": "refused", "status": 422}, "422"),
        ({"kind": "not_found"}, "status has no fault not_found"),
        ({"service": "bootstrap", "kind": "not_found"}, "bootstrap has no fault not_found"),
        ({"service": "bootstrap", "kind": "not_json", "tld": "com"}, "tld"),
        ({"service": "bootstrap", "kind": "not_json", "domains": ["kept.com"]}, "domains"),
        ({"service": "bootstrap", "kind": "refused", "status": 422}, "422"),
    ],
)
def test_a_bad_rule_is_refused_with_the_reason(simulator, rule, why):
    answer = requests.put(f"{simulator.url}/_simulator/faults", json=[rule], timeout=5)
    assert answer.status_code == 422
    assert why in " ".join(error["detail"] for error in answer.json()["errors"])


def test_every_kind_is_tried_here():
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS[Service.RDAP] if f'"kind": "{kind}"' not in text] == []


def test_latency_passes_before_each_answer_and_shows_who_does_not_wait_his_turn(world):
    with simulating(world, latency_ms=150) as simulator:
        assert simulator.bootstrap().elapsed.total_seconds() >= 0.15
        with ThreadPoolExecutor(3) as callers:
            answers = list(callers.map(simulator.rdap, ["verisign"] * 3, ["kept.com"] * 3))
        assert all(answer.elapsed.total_seconds() >= 0.15 for answer in answers)
        simulator.rdap("pir", "nobody.org")
        simulator.rdap("pir", "nobody.org")
        assert simulator.calls()["rdap"]["max_in_flight"] == {"verisign": 3, "pir": 1}


def test_a_second_ends(simulator):
    for _ in range(2):
        simulator.rdap("pir", "nobody.org")
        simulator.rdap("verisign", "kept.com")
        time.sleep(1)
    simulator.rdap("pir", "nobody.org")
    simulator.rdap("pir", "nobody.org")
    assert simulator.calls()["rdap"]["max_in_a_second"] == {"pir": 2, "verisign": 1}
