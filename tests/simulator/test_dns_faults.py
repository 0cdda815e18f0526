from pathlib import Path

import dns.exception
import dns.flags
import dns.query
import dns.rcode
import pytest
import requests

from simulator.faults import KINDS, Service


@pytest.mark.parametrize(
    ("rule", "rcode"),
    [
        ({"kind": "servfail"}, dns.rcode.SERVFAIL),
        ({"kind": "refused"}, dns.rcode.REFUSED),
        ({"kind": "nxdomain"}, dns.rcode.NXDOMAIN),
    ],
)
def test_wrong_rcodes(simulator, rule, rcode):
    simulator.order({"service": "dns", **rule})
    message = simulator.dig("kept.com", "NS")
    assert message.rcode() == rcode
    assert not message.answer
    assert simulator.calls()["dns"]["by_rcode"] == {dns.rcode.to_text(rcode): 1}


def test_timeout_never_answers(simulator):
    simulator.order({"service": "dns", "kind": "timeout", "times": 1})
    with pytest.raises(dns.exception.Timeout):
        simulator.dig("kept.com", "NS", timeout=0.2)
    assert simulator.calls()["dns"] == {"total": 1, "by_rcode": {}, "by_domain": {"kept.com": 1}}
    assert simulator.dig("kept.com", "NS").answer


def test_truncated_is_whole_over_tcp(simulator):
    simulator.order({"service": "dns", "kind": "truncated"})
    truncated = simulator.dig("kept.com", "NS")
    assert truncated.flags & dns.flags.TC
    assert not truncated.answer
    whole = simulator.dig("kept.com", "NS", dns.query.tcp)
    assert not whole.flags & dns.flags.TC
    assert whole.answer


def test_other_domain(simulator):
    simulator.order({"service": "dns", "kind": "other_domain"})
    with pytest.raises(dns.query.BadResponse):
        simulator.dig("kept.com", "NS")


def test_a_rule_strikes_all_hosts_of_its_domains_and_its_tld(simulator):
    simulator.order(
        {"service": "dns", "kind": "servfail", "domains": ["kept.com"]},
        {"service": "dns", "kind": "refused", "tld": "uk"},
    )
    names = ("kept.com", "Mail.kept.com", "late.com", "some.co.uk")
    assert [dns.rcode.to_text(simulator.dig(name, "MX").rcode()) for name in names] == [
        "SERVFAIL",
        "SERVFAIL",
        "NOERROR",
        "REFUSED",
    ]
    assert simulator.status_of("kept.com") == "active"
    assert simulator.rdap("verisign", "kept.com").status_code == 200


def test_a_share_strikes_the_same_calls_again(simulator):
    simulator.order({"service": "dns", "kind": "servfail", "share": 0.4})

    def failed() -> list[int]:
        requests.delete(f"{simulator.url}/_simulator/calls", timeout=5)
        return [call for call in range(40) if simulator.dig("kept.com", "NS").rcode() == dns.rcode.SERVFAIL]

    first = failed()
    assert 6 < len(first) < 28
    assert failed() == first


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"kind": "server_error", "status": 500}, "dns has no fault server_error"),
        ({"kind": "not_found"}, "dns has no fault not_found"),
        ({"kind": "refused", "status": 403}, "status"),
        ({"kind": "timeout", "seconds": 1}, "seconds"),
    ],
)
def test_a_bad_rule_is_refused_with_the_reason(simulator, rule, why):
    answer = requests.put(f"{simulator.url}/_simulator/faults", json=[{"service": "dns", **rule}], timeout=5)
    assert answer.status_code == 422
    assert why in " ".join(error["detail"] for error in answer.json()["errors"])


def test_every_kind_is_tried_here():
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS[Service.DNS] if f'"kind": "{kind}"' not in text] == []
