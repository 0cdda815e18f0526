from typing import Any

import pytest
import requests

from .conftest import DAY, EPOCH


def control(simulator, method, path, json=None):
    return requests.request(method, f"{simulator.url}/_simulator/{path}", json=json, timeout=5)


def test_health(simulator):
    assert control(simulator, "GET", "health").json() == {"status": "ok"}


def test_the_clock_is_set_and_advanced(simulator):
    assert control(simulator, "GET", "clock").json() == {"now": EPOCH.isoformat()}
    assert control(simulator, "PUT", "clock", {"advance_days": 30.5}).json() == {
        "now": (EPOCH + 30.5 * DAY).isoformat()
    }
    assert control(simulator, "PUT", "clock", {"now": "2026-01-01T01:00:00+01:00"}).status_code == 200
    assert simulator.clock.now().isoformat() == "2026-01-01T01:00:00+01:00"
    assert simulator.status_of("redeemable.com") == "active"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"now": "2026-01-01T00:00:00"},
        {"now": "today"},
        {"advance_days": -1},
        {"advance_days": "1"},
        {"advance_days": 1, "now": "2026-01-01T00:00:00Z"},
        {"advance_hours": 1},
    ],
)
def test_a_bad_move_is_refused_and_the_clock_stands(simulator, body):
    answer = control(simulator, "PUT", "clock", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"]
    assert simulator.clock.now() == EPOCH


def test_faults_are_shown_with_what_is_left_of_them_and_dropped(simulator):
    simulator.order({"kind": "timeout", "seconds": 0, "times": 3, "tld": "com"})
    simulator.status_of("kept.com")
    assert control(simulator, "GET", "faults").json() == [
        {"service": "status", "kind": "timeout", "share": 1.0, "seconds": 0.0, "times": 2, "tld": "com"}
    ]
    assert control(simulator, "DELETE", "faults").status_code == 204
    assert control(simulator, "GET", "faults").json() == []


def test_calls_are_counted_and_forgotten(simulator):
    simulator.fastly("kept.com")
    simulator.domainr("kept.com")
    simulator.fastly("late.com")
    simulator.fastly("Late.com")
    simulator.fastly("late.com", key="wrong")
    simulator.rdap("verisign", "kept.com")
    simulator.rdap("verisign", "gone.com")
    simulator.rdap("pir", "kept.com")
    simulator.bootstrap()
    simulator.dig("kept.com", "NS")
    simulator.dig("mail.kept.com", "MX")
    simulator.dig("gone.com", "NS")
    assert simulator.calls() == {
        "total": 5,
        "by_status": {"200": 3, "400": 1, "403": 1},
        "by_domain": {"kept.com": 2, "late.com": 1},
        "rdap": {
            "total": 3,
            "by_status": {"200": 1, "400": 1, "404": 1},
            "by_domain": {"gone.com": 1, "kept.com": 1},
            "by_registry": {"pir": 1, "verisign": 2},
            "max_in_flight": {"pir": 1, "verisign": 1},
            "max_in_a_second": {"pir": 1, "verisign": 2},
            "bootstrap": 1,
        },
        "dns": {
            "total": 3,
            "by_rcode": {"NOERROR": 2, "NXDOMAIN": 1},
            "by_domain": {"gone.com": 1, "kept.com": 2},
        },
    }
    assert control(simulator, "DELETE", "calls").status_code == 204
    nothing: dict[str, Any] = {"total": 0, "by_domain": {}}
    unasked = {"by_registry": {}, "max_in_flight": {}, "max_in_a_second": {}, "bootstrap": 0}
    assert simulator.calls() == nothing | {
        "by_status": {},
        "rdap": nothing | {"by_status": {}} | unasked,
        "dns": nothing | {"by_rcode": {}},
    }


def test_settings_change_what_is_given_only(simulator):
    assert control(simulator, "PUT", "settings", {"requests_per_second": 1}).json() == {
        "latency_ms": 0,
        "requests_per_second": 1.0,
    }
    assert [simulator.fastly("kept.com").status_code for _ in range(2)] == [200, 429]
    assert control(simulator, "PUT", "settings", {"latency_ms": 100}).json() == {
        "latency_ms": 100.0,
        "requests_per_second": 1.0,
    }
    control(simulator, "PUT", "settings", {"requests_per_second": None})
    answers = [simulator.fastly("kept.com") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(answer.elapsed.total_seconds() >= 0.1 for answer in answers)


@pytest.mark.parametrize(
    "body", [{"latency_ms": -1}, {"requests_per_second": 0}, {"latency_ms": "1"}, {"colour": "red"}, "fast"]
)
def test_bad_settings_are_refused(simulator, body):
    assert control(simulator, "PUT", "settings", body).status_code == 422
