import time

import pytest
import requests

from .conftest import DAY, EPOCH, KEY, simulating


def test_fastly_answers_in_its_shape(simulator):
    answer = simulator.fastly("redeemable.com")
    assert answer.status_code == 200
    assert answer.json() == {
        "domain": "redeemable.com",
        "zone": "com",
        "status": "undelegated active expiring",
        "tags": "generic",
    }


def test_domainr_answers_in_its_shape_to_both_ways_of_giving_the_key(simulator):
    entry = {
        "domain": "foo.co.uk",
        "zone": "co.uk",
        "status": "undelegated inactive",
        "summary": "inactive",
    }
    assert simulator.domainr("foo.co.uk").json() == {"status": [entry]}
    by_header = requests.get(
        f"{simulator.url}/v2/status", params={"domain": "foo.co.uk"}, headers={"Fastly-Key": KEY}, timeout=5
    )
    assert by_header.json() == {"status": [entry]}


def test_an_estimate_does_not_know_what_only_the_registry_knows(simulator):
    answer = simulator.fastly("doomed.com", scope="estimate").json()
    assert answer["status"] == "undelegated active"
    assert answer["scope"] == "estimate"
    assert simulator.status_of("doomed.com") == "undelegated active deleting"


def test_the_answer_follows_the_clock(simulator):
    readings = []
    for days in (0, 40, 70, 75):
        simulator.clock.set(EPOCH + days * DAY)
        readings.append(simulator.status_of("late.com"))
    assert readings == [
        "active",
        "undelegated active expiring",
        "undelegated inactive",
        "undelegated inactive",
    ]


@pytest.mark.parametrize("api", ["fastly", "domainr"])
@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 403)])
def test_a_key_is_needed_and_must_be_right(simulator, api, key, status):
    answer = getattr(simulator, api)("kept.com", key=key)
    assert answer.status_code == status
    assert [error["status"] for error in answer.json()["errors"]] == [status]


def test_fastly_takes_no_key_from_the_query(simulator):
    assert simulator.fastly("kept.com", key=None, client_id=KEY).status_code == 401
    assert simulator.fastly("kept.com", client_id=KEY).status_code == 400


@pytest.mark.parametrize("api", ["fastly", "domainr"])
@pytest.mark.parametrize(
    "domain",
    [
        None,
        "",
        ["kept.com", "late.com"],
        "kept.com,late.com",
        "Kept.com",
        "kept.com.",
        ".kept.com",
        "kept..com",
        "bücher.de",
        "xn--zzzzzzzzz-.com",
        "under_score.com",
        "spa ce.com",
        "new\nline.com",
        "kept.com\n",
        "-kept.com",
        "kept-.com",
        f"{'a' * 64}.com",
        f"{'a.' * 130}com",
        "localhost",
        "kept.notatld",
        "192.0.2.1",
        "owner@kept.com",
    ],
)
def test_what_is_no_single_domain_in_a_labels_is_refused(simulator, api, domain):
    answer = getattr(simulator, api)(domain)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("domain", ["xn--bcher-kva.de", "x.duckdns.org", "mail.kept.com", "com", f"{'a' * 63}.com"])
def test_odd_but_valid_names_are_answered(simulator, domain):
    assert simulator.fastly(domain).json()["domain"] == domain


@pytest.mark.parametrize(
    ("api", "parameters"),
    [
        ("fastly", {"domains": "kept.com"}),
        ("fastly", {"scope": "precise"}),
        ("fastly", {"scope": ["estimate", "estimate"]}),
        ("domainr", {"scope": "estimate"}),
        ("domainr", {"callback": "x"}),
    ],
)
def test_unknown_parameters_are_refused(simulator, api, parameters):
    assert getattr(simulator, api)("kept.com", **parameters).status_code == 400


def test_other_methods_and_paths_are_refused_in_json(simulator):
    for answer, status in (
        (requests.post(f"{simulator.url}/v2/status", timeout=5), 405),
        (requests.get(f"{simulator.url}/v3/status", timeout=5), 404),
    ):
        assert answer.status_code == status
        assert answer.json()["errors"]


def test_above_the_quota_it_says_when_to_come_back(world):
    with simulating(world, requests_per_second=0.25) as simulator:
        assert simulator.fastly("kept.com").status_code == 200
        refused = simulator.fastly("kept.com")
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "4"
        assert refused.json()["errors"]
        assert simulator.fastly("kept.com", key="wrong").status_code == 403


def test_the_quota_refills(world):
    with simulating(world, requests_per_second=10) as simulator:
        statuses = [simulator.fastly("kept.com").status_code for _ in range(30)]
        assert statuses[:10] == [200] * 10
        assert 429 in statuses
        time.sleep(0.15)
        assert simulator.fastly("kept.com").status_code == 200


def test_latency_passes_before_each_answer(world):
    with simulating(world, latency_ms=120) as simulator:
        assert simulator.fastly("kept.com").elapsed.total_seconds() >= 0.12
