"""What registries and registrars say of a domain, over HTTP."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from simulator.delegations import Delegation
from simulator.lives import YEAR, Life, Phase
from simulator.rdap.registries import REGISTRIES
from simulator.world import World

from .conftest import DAY, EPOCH, Served, simulating

EXPIRED = EPOCH - 10 * DAY
NAMES = {registry.name: (*registry.tlds, *registry.unlisted_tlds)[0] for registry in REGISTRIES}


@pytest.fixture(scope="module")
def everywhere() -> Iterator[Served]:
    """A domain that lapses, `late`, and one in order, `kept`, at every registry."""
    lives = {f"late.{tld}": Life.lapsing(EXPIRED) for tld in NAMES.values()}
    lives |= {f"kept.{tld}": Life.active(EPOCH + 200 * DAY) for tld in NAMES.values()}
    with simulating(World.of(lives, EPOCH)) as served:
        yield served


def at(served: Served, server: str, domain: str, days: float = 0) -> dict[str, Any]:
    served.clock.set(EPOCH + timedelta(days=days))
    answer = served.rdap(server, domain)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/rdap+json"
    content: dict[str, Any] = answer.json()
    return content


def dates(record: dict[str, Any]) -> dict[str, datetime]:
    return {event["eventAction"]: datetime.fromisoformat(event["eventDate"]) for event in record["events"]}


def test_a_record_has_the_members_of_rfc_9083(everywhere):
    record = at(everywhere, "pir", "kept.org")
    url = f"{everywhere.url}/rdap/pir/domain/kept.org"
    (registrar,) = record.pop("entities")
    assert record == {
        "objectClassName": "domain",
        "rdapConformance": ["rdap_level_0"],
        "ldhName": "kept.org",
        "status": ["client transfer prohibited"],
        "events": [
            {"eventAction": "registration", "eventDate": "2016-09-19T00:00:00.000Z"},
            {"eventAction": "expiration", "eventDate": "2026-09-17T00:00:00.000Z"},
            {"eventAction": "last changed", "eventDate": "2016-09-19T00:00:00.000Z"},
            {"eventAction": "last update of RDAP database", "eventDate": "2026-03-01T00:00:00.000Z"},
        ],
        "nameservers": [
            {"objectClassName": "nameserver", "ldhName": "ns1.kept.org"},
            {"objectClassName": "nameserver", "ldhName": "ns2.kept.org"},
        ],
        "secureDNS": {"delegationSigned": False},
        "links": [
            {"value": url, "rel": "self", "href": url, "type": "application/rdap+json"},
            {
                "value": url,
                "rel": "related",
                "href": f"{everywhere.url}/rdap/registrar/domain/kept.org",
                "type": "application/rdap+json",
            },
        ],
    }
    assert registrar["objectClassName"] == "entity"
    assert registrar["roles"] == ["registrar"]
    assert registrar["publicIds"] == [{"type": "IANA Registrar ID", "identifier": registrar["handle"]}]
    assert [name for name, *_ in registrar["vcardArray"][1]] == ["version", "fn"]


@pytest.mark.parametrize(
    ("server", "active", "grace", "redemption"),
    [
        (
            "verisign",
            ["client transfer prohibited"],
            ["client transfer prohibited", "auto renew period"],
            ["redemption period"],
        ),
        (
            "pir",
            ["client transfer prohibited"],
            ["client transfer prohibited", "auto renew period"],
            ["redemption period", "pending delete"],
        ),
        ("nominet", ["active"], ["active", "auto renew period"], ["redemption period", "pending delete"]),
        ("afnic", ["active"], ["active"], ["redemption period", "pending delete"]),
        ("denic", ["active"], ["active"], ["redemption period", "pending delete"]),
    ],
)
def test_each_phase_has_its_status(everywhere, server, active, grace, redemption):
    domain = f"late.{NAMES[server]}"
    assert at(everywhere, server, domain, -11)["status"] == active
    assert at(everywhere, server, domain)["status"] == grace
    assert at(everywhere, server, domain, 31)["status"] == redemption
    assert at(everywhere, server, domain, 61)["status"] == ["pending delete"]


@pytest.mark.parametrize("server", NAMES)
def test_where_nothing_is_registered_every_registry_says_404(everywhere, server):
    for domain, days in (
        (f"late.{NAMES[server]}", 66),
        (f"nobody.{NAMES[server]}", 0),
        (f"kept.{NAMES[server]}", -4000),
    ):
        everywhere.clock.set(EPOCH + days * DAY)
        answer = everywhere.rdap(server, domain)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/rdap+json"
        assert answer.json() == {
            "rdapConformance": ["rdap_level_0"],
            "errorCode": 404,
            "title": "Not Found",
            "description": [f"{domain} is not registered"],
        }


@pytest.mark.parametrize("server", NAMES)
def test_in_grace_the_date_lies_a_year_ahead_of_what_was_paid_where_the_registry_renews(everywhere, server):
    record = dates(at(everywhere, server, f"late.{NAMES[server]}"))
    if server in ("sidn", "auda", "denic"):
        assert "expiration" not in record
    elif server in ("nominet", "nic-cz", "registro-br", "dns-pl"):
        assert record["expiration"] == EXPIRED
    else:
        assert record["expiration"] == EXPIRED + YEAR


def test_in_redemption_the_date_is_the_true_one_again(everywhere):
    assert dates(at(everywhere, "verisign", "late.com", 31))["expiration"] == EXPIRED


def test_the_registration_is_dated_where_the_registry_says(everywhere):
    for server, tld in NAMES.items():
        shown = dates(at(everywhere, server, f"kept.{tld}"))
        assert shown.get("registration") == (None if server == "denic" else EPOCH + 200 * DAY - 10 * YEAR)
        assert {"last changed", "last update of RDAP database"} <= shown.keys()


def test_the_last_change_is_the_last_that_has_happened(everywhere):
    assert dates(at(everywhere, "verisign", "late.com", -11))["last changed"] == EXPIRED - 10 * YEAR
    assert dates(at(everywhere, "verisign", "late.com"))["last changed"] == EXPIRED
    assert dates(at(everywhere, "verisign", "late.com", 31))["last changed"] == EXPIRED + 40 * DAY


def test_names_and_dates_are_written_as_each_registry_likes(everywhere):
    verisign, google = at(everywhere, "verisign", "kept.com"), at(everywhere, "google", "kept.dev")
    assert verisign["ldhName"] == "KEPT.COM"
    assert {server["ldhName"] for server in verisign["nameservers"]} == {"NS1.KEPT.COM", "NS2.KEPT.COM"}
    assert google["ldhName"] == "kept.dev"
    assert verisign["events"][1]["eventDate"] == "2026-09-17T00:00:00Z"
    assert google["events"][1]["eventDate"] == "2026-09-17T00:00:00+00:00"
    assert at(everywhere, "centralnic", "kept.xyz")["events"][1]["eventDate"] == "2026-09-17T00:00:00.000Z"


def test_some_registries_link_to_the_registrar(everywhere):
    linking = {
        server
        for server, tld in NAMES.items()
        if "related" in {link["rel"] for link in at(everywhere, server, f"kept.{tld}")["links"]}
    }
    assert linking == {"verisign", "pir", "google", "identity", "centralnic", "radix", "nic-biz"}


def test_a_registrar_knows_the_true_date_and_nothing_of_the_phases(everywhere):
    days = {"grace": 0, "redemption": 31, "pending delete": 61}
    shown = {phase: at(everywhere, "registrar", "late.com", day) for phase, day in days.items()}
    assert {phase: record["status"] for phase, record in shown.items()} == {
        "grace": ["active"],
        "redemption": ["client hold"],
        "pending delete": ["client hold"],
    }
    assert {dates(record)["expiration"] for record in shown.values()} == {EXPIRED}
    assert at(everywhere, "registrar", "kept.com")["status"] == ["client transfer prohibited"]
    everywhere.clock.set(EPOCH + 66 * DAY)
    assert everywhere.rdap("registrar", "late.com").status_code == 404


def test_a_registrar_answers_only_where_a_registry_links_to_it(everywhere):
    assert everywhere.rdap("registrar", "kept.uk").status_code == 400


@pytest.mark.parametrize(
    ("server", "domain"),
    [
        ("verisign", "kept.org"),
        ("verisign", "Kept.com"),
        ("verisign", "kept.com."),
        ("verisign", "mail.kept.com"),
        ("verisign", "com"),
        ("verisign", "bücher.com"),
        ("verisign", "xn--zzzzzzzzz-.com"),
        ("verisign", "under_score.com"),
        ("verisign", "kept.notatld"),
        ("pir", "x.duckdns.org"),
        ("nominet", "co.uk"),
        ("nominet", "mail.some.co.uk"),
        ("registrar", "mail.kept.com"),
        ("nobody", "kept.com"),
    ],
)
def test_what_is_not_asked_there_is_refused_and_is_no_404(everywhere, server, domain):
    answer = everywhere.rdap(server, domain)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/rdap+json"
    assert answer.json()["errorCode"] == 400
    assert answer.json()["description"]


@pytest.mark.parametrize("path", ["rdap/verisign/nameserver/ns1.kept.com", "rdap/verisign/domains", "rdap/kept.com"])
def test_other_lookups_are_not_supported(everywhere, path):
    answer = requests.get(f"{everywhere.url}/{path}", timeout=5)
    assert answer.status_code == 501
    assert answer.json()["errorCode"] == 501


def test_domains_of_the_third_level_belong_to_the_country(everywhere):
    assert everywhere.rdap("nominet", "nobody.co.uk").status_code == 404


def test_a_paid_renewal_looks_like_grace_where_the_registry_renews_by_itself():
    tlds = {"com": "verisign", "org": "pir", "uk": "nominet", "fr": "afnic"}
    paid = Life.active(EXPIRED).auto_renewed(EXPIRED)
    lives = {f"paid.{tld}": paid for tld in tlds} | {"held.com": paid.held(EPOCH - DAY, EPOCH + DAY)}
    with simulating(World.of(lives, EPOCH)) as served:
        records = {tld: at(served, server, f"paid.{tld}") for tld, server in tlds.items()}
        assert {tld: record["status"] for tld, record in records.items()} == {
            "com": ["client transfer prohibited", "auto renew period"],
            "org": ["client transfer prohibited", "auto renew period"],
            "uk": ["active"],
            "fr": ["active"],
        }
        assert {dates(record)["expiration"] for record in records.values()} == {EXPIRED + YEAR}
        locked = "client transfer prohibited"
        assert at(served, "verisign", "held.com")["status"] == [locked, "client hold", "auto renew period"]
        assert at(served, "verisign", "paid.com", 35)["status"] == [locked]
        assert at(served, "registrar", "paid.com")["status"] == [locked]


def test_strangers_auctions_holds_and_flags_show_as_they_should():
    release = EPOCH - 100 * DAY + 75 * DAY
    held = Life.active(EPOCH + 200 * DAY).held(EPOCH - DAY, EPOCH + DAY)
    lives = {
        "taken.com": Life.lapsing(EPOCH - 100 * DAY).re_registered(release + DAY),
        "auctioned.com": Life.lapsing(EPOCH - 50 * DAY, grace=45 * DAY).auctioned(EPOCH - 7 * DAY),
        "held.com": held,
        "held.uk": held,
        "off.com": Life.active(EPOCH + 200 * DAY),
        "off.xyz": Life.active(EPOCH + 200 * DAY),
        "parked.com": Life.lapsing(EPOCH - 10 * DAY),
        "xn--bcher-kva.com": Life.active(EPOCH + 200 * DAY),
    }
    quirks = {domain: {Phase.ACTIVE: "undelegated active"} for domain in ("off.com", "off.xyz")}
    world = World.of(lives, EPOCH, quirks, dns={"parked.com": {Phase.GRACE: Delegation.PARKED}})
    with simulating(world) as served:
        taken, auctioned = at(served, "verisign", "taken.com"), at(served, "verisign", "auctioned.com")
        assert dates(taken)["registration"] == release + DAY
        assert taken["status"] == auctioned["status"] == ["client transfer prohibited"]
        assert dates(auctioned)["registration"] == EPOCH - 50 * DAY - 10 * YEAR
        assert dates(auctioned)["expiration"] == EPOCH - 50 * DAY + YEAR

        assert at(served, "verisign", "held.com")["status"] == ["client transfer prohibited", "client hold"]
        assert at(served, "nominet", "held.uk")["status"] == ["client hold"]
        assert at(served, "registrar", "held.com")["status"] == ["client hold"]

        off = at(served, "verisign", "off.com")
        assert off["status"] == ["client transfer prohibited"]
        assert off["nameservers"] == []
        assert at(served, "centralnic", "off.xyz")["status"] == ["inactive"]

        parked = at(served, "registrar", "parked.com")["nameservers"]
        assert [server["ldhName"] for server in parked] == ["ns1.sedoparking.com", "ns2.sedoparking.com"]
        assert at(served, "verisign", "xn--bcher-kva.com")["unicodeName"] == "bücher.com"
