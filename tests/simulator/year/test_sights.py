"""What a year's sights say is what the simulator's services answer of the same lives, over HTTP and DNS."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest
import requests

from simulator.delegations import PARKING_NAME_SERVERS, Delegation
from simulator.faults import FaultKind
from simulator.lives import EventKind, Phase
from simulator.world import World
from simulator.year.domains import YearDomain
from simulator.year.sights import Sight, registry_answers, sights
from simulator.year.weather import Weather
from tests.conftest import API_KEY, SimulatedInternet, simulated

from .conftest import EPOCH

SECOND = timedelta(seconds=1)

# Whether there is an MX, and an address, where the domain is delegated.
MAIL = {
    Delegation.MAIL_EXCHANGE: (["mx"], True),
    Delegation.ADDRESS_ONLY: ([], True),
    Delegation.NULL_MX: ([""], True),
    Delegation.NO_MAIL: ([], False),
    Delegation.PARKED: ([], True),
}
FAULTY_FLAGS = {FaultKind.UNKNOWN_STORM: "unknown", FaultKind.FALSE_INACTIVE: "undelegated inactive"}


@pytest.fixture(scope="module")
def eventful(drawn: list[YearDomain]) -> list[YearDomain]:
    """For each event and top-level domain, and each way of being seen, a domain that has it."""
    seen: set[Any] = set()
    chosen = []
    for domain in drawn:
        tld = domain.name.rpartition(".")[2]
        marks = [(tld, event.kind) for event in domain.life.events]
        marks += [(phase, shown) for phase, shown in (*domain.quirks.items(), *domain.delegations.items())]
        if not seen.issuperset(marks):
            seen.update(marks)
            chosen.append(domain)
    return chosen


class Asked:
    """A simulated internet with these domains in it, asked about one of them at a time."""

    def __init__(self, internet: SimulatedInternet) -> None:
        self._internet = internet
        self._session = requests.Session()
        self._servers: dict[str, str] = {
            tld: urls[0]
            for tlds, urls in self._session.get(f"{internet.url}/rdap/dns.json", timeout=5).json()["services"]
            for tld in tlds
        }

    def at(self, instant: datetime) -> None:
        self._order("clock", {"now": instant.isoformat()})

    def in_weather(self, rules: list[dict[str, Any]]) -> None:
        self._order("faults", rules)

    def _order(self, path: str, content: Any) -> None:
        self._session.put(f"{self._internet.url}/_simulator/{path}", json=content, timeout=5).raise_for_status()

    def lists(self, tld: str) -> bool:
        return tld in self._servers

    def status_api(self, domain: str) -> requests.Response:
        url = f"{self._internet.url}/domain-management/v1/tools/status"
        return self._session.get(url, params={"domain": domain}, headers={"Fastly-Key": API_KEY}, timeout=5)

    def registry(self, domain: str) -> requests.Response:
        return self._session.get(f"{self._servers[domain.rpartition('.')[2]]}domain/{domain}", timeout=5)

    def dig(self, domain: str, kind: str) -> dns.message.Message:
        host, port = self._internet.dns
        return dns.query.udp(dns.message.make_query(domain, kind), host, timeout=5, port=port)


@pytest.fixture(scope="module")
def asked(eventful: list[YearDomain]) -> Iterator[Asked]:
    world = World.of(
        {domain.name: domain.life for domain in eventful},
        EPOCH,
        {domain.name: domain.quirks for domain in eventful},
        dns={domain.name: domain.delegations for domain in eventful},
    )
    with simulated(world) as internet:
        yield Asked(internet)


def sight_at(domain: YearDomain, instant: datetime) -> Sight:
    seen = sights(domain)
    return seen[bisect_right([sight.since for sight in seen], instant) - 1]


def as_sight(record: dict[str, Any]) -> tuple[Any, ...]:
    dates = {event["eventAction"]: datetime.fromisoformat(event["eventDate"]) for event in record["events"]}
    return tuple(record["status"]), dates.get("registration"), dates.get("expiration")


def check_status_api(asked: Asked, domain: str, sight: Sight, fault: FaultKind | None = None) -> None:
    answer = asked.status_api(domain)
    if fault is FaultKind.SERVER_ERROR:
        assert answer.status_code == 503
    else:
        assert answer.json()["status"] == (FAULTY_FLAGS[fault] if fault else sight.flags)


def check_registry(asked: Asked, domain: str, sight: Sight, fault: FaultKind | None = None) -> None:
    tld = domain.rpartition(".")[2]
    assert registry_answers(tld) == asked.lists(tld)
    if asked.lists(tld):
        answer = asked.registry(domain)
        if fault is not None:
            assert answer.status_code == 503
        elif sight.registry_status is None:
            assert answer.status_code == 404
        else:
            assert as_sight(answer.json()) == (sight.registry_status, sight.registered_at, sight.expires_at)


def check_dns(asked: Asked, domain: str, sight: Sight, fault: FaultKind | None = None) -> None:
    servers = asked.dig(domain, "NS")
    if fault is not None:
        assert servers.rcode() == dns.rcode.SERVFAIL
    elif sight.delegation is Delegation.NONE:
        assert servers.rcode() == dns.rcode.NXDOMAIN
    else:
        named = {str(server.target).rstrip(".") for server in servers.answer[0]}
        parked = sight.delegation is Delegation.PARKED
        assert named == (set(PARKING_NAME_SERVERS) if parked else {f"ns1.{domain}", f"ns2.{domain}"})
        mx = [str(one.exchange).partition(".")[0] for set_ in asked.dig(domain, "MX").answer for one in set_]
        assert (mx, bool(asked.dig(domain, "A").answer)) == MAIL[sight.delegation]


def test_the_chosen_show_everything(eventful):
    shown = [sight for domain in eventful for sight in sights(domain)]
    assert {event.kind for domain in eventful for event in domain.life.events} == set(EventKind)
    assert {sight.phase for sight in shown} == set(Phase) - {Phase.NEVER_REGISTERED}
    assert {sight.delegation for sight in shown} == set(Delegation)


def test_sights_say_what_the_services_answer(asked, eventful):
    asked.in_weather([])
    for number, domain in enumerate(eventful):
        seen = sights(domain)
        for sight, following in zip(seen, [*seen[1:], None], strict=True):
            # Of one domain just before each change, of the next one at once after it.
            asked.at(following.since - SECOND if following and number % 2 else sight.since)
            check_status_api(asked, domain.name, sight)
            check_registry(asked, domain.name, sight)
            check_dns(asked, domain.name, sight)


def test_they_do_so_in_bad_weather_too(asked, eventful):
    weather = Weather("seed", EPOCH)
    by_tld = {domain.name.rpartition(".")[2]: domain for domain in eventful}
    struck = Counter()
    for number, disturbance in enumerate(weather.disturbances):
        instant = disturbance.begins_at + (disturbance.ends_at - disturbance.begins_at) / 2
        asked.at(instant)
        asked.in_weather(weather.fault_rules(instant))
        for tld in {disturbance.tld or "com", list(by_tld)[number % len(by_tld)]}:
            domain = by_tld[tld]
            faults = [of(tld, instant) for of in (weather.of_status_api, weather.of_registry, weather.of_dns)]
            for check, fault in zip((check_status_api, check_registry, check_dns), faults, strict=True):
                check(asked, domain.name, sight_at(domain, instant), fault)
            struck.update(fault for fault in faults if fault)
    assert struck.keys() == {*FAULTY_FLAGS, FaultKind.SERVER_ERROR, FaultKind.SERVFAIL}


def test_sights_follow_one_another_and_each_begins_where_something_happens(drawn):
    for domain in drawn[:2000]:
        seen = sights(domain)
        assert [sight.since for sight in seen] == sorted({sight.since for sight in seen})
        assert seen[0].since == domain.life.events[0].at
        assert all(domain.life.phase_at(sight.since) is sight.phase for sight in seen)


def test_a_paid_domain_shows_its_automatic_renewal_for_45_days_and_one_in_grace_looks_the_same(drawn):
    def shown(after: EventKind) -> list[tuple[str, ...] | None]:
        return [
            sight_at(domain, event.at).registry_status
            for domain in drawn[:5000]
            for event in domain.life.events
            if event.kind is after and domain.name.endswith(".com")
        ]

    alike = ("client transfer prohibited", "auto renew period")
    assert set(shown(EventKind.AUTO_RENEWED)) == {alike}
    assert set(shown(EventKind.EXPIRED)) == {alike, ("redemption period",)}  # where the registrar leaves no grace
    for domain in drawn[:5000]:
        event = domain.life.events[-1]
        if event.kind is EventKind.AUTO_RENEWED and domain.name.endswith(".com"):
            date = event.expires - timedelta(days=365)
            last = sights(domain)[-1]
            assert (last.since, last.registry_status) == (date + timedelta(days=45), ("client transfer prohibited",))


def test_mail_that_is_given_up_is_gone_from_dns_and_nothing_else_changes(drawn):
    domain = next(one for one in drawn if one.life.events[-1].kind is EventKind.RENEWED and not one.quirks)
    at = domain.life.events[-1].at + timedelta(days=1)
    *before, after = sights(replace(domain, mail_lost_at=at))
    assert tuple(before) == sights(domain)
    assert after == replace(before[-1], since=at, delegation=Delegation.NO_MAIL)
    assert after != replace(before[-1], since=at)
