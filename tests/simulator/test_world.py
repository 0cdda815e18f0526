import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from simulator.delegations import Delegation
from simulator.hosts import PRIVATE_SUFFIXES, real_hosts
from simulator.lives import EventKind, Life, Phase
from simulator.rates import RATES
from simulator.world import World
from simulator.zones import registrable_domain

from .conftest import DAY, EPOCH

DIGEST = """
from datetime import UTC, datetime
from hashlib import sha256
from simulator.world import World
world = World("twice", 300, datetime(2026, 3, 1, tzinfo=UTC))
print(sha256(repr((world.lives, world.quirks, world.accounts)).encode()).hexdigest())
"""


def digest(world: World) -> str:
    return sha256(repr((world.lives, world.quirks, world.accounts)).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_builds_the_same_world(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == digest(World("twice", 300, EPOCH))


def test_another_seed_builds_another_world():
    assert digest(World("one", 300, EPOCH)) != digest(World("other", 300, EPOCH))


def test_at_the_same_offset_it_looks_the_same_on_any_day():
    other_epoch = datetime(2031, 12, 24, 7, 30, tzinfo=UTC)
    one, other = World("days", 300, EPOCH), World("days", 300, other_epoch)
    assert one.lives.keys() == other.lives.keys()
    for domain in one.lives:
        for offset in (timedelta(0), 47 * DAY, 400 * DAY):
            assert one.status_at(domain, EPOCH + offset) == other.status_at(domain, other_epoch + offset)


def test_an_epoch_needs_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        World("naive", 1, datetime(2026, 3, 1))  # noqa: DTZ001 - the very thing it refuses


def invented_domains(world: World) -> list[str]:
    real = {host.domain for host in real_hosts().items} | set(PRIVATE_SUFFIXES)
    return [domain for domain in world.lives if domain not in real]


def test_three_to_four_per_cent_of_the_invented_domains_read_as_lapsed(demo_world):
    domains = invented_domains(demo_world)
    leading = Counter(demo_world.status_at(domain, EPOCH).split()[-1] for domain in domains)
    lapsed = [leading[flag] for flag in ("inactive", "expiring", "deleting")]
    assert all(lapsed)
    assert 0.03 < sum(lapsed) / len(domains) < 0.04


def test_some_are_re_registered_held_and_in_grace(demo_world):
    lives = [demo_world.lives[domain] for domain in invented_domains(demo_world)]
    phases = Counter(life.phase_at(EPOCH) for life in lives)
    taken = sum((life.registered_at(EPOCH) or life.events[0].at) > life.events[0].at for life in lives)
    assert 0.007 < taken / len(lives) < 0.015
    assert 2 <= phases[Phase.HELD] <= 20
    assert phases[Phase.GRACE] >= 5


def test_later_days_bring_late_renewals_and_strangers(demo_world):
    renewed_in = Counter()
    for life in demo_world.lives.values():
        for before, event in zip(life.events, life.events[1:], strict=False):
            if event.at > EPOCH and event.kind is EventKind.RENEWED:
                renewed_in[before.kind] += 1
            assert event.kind is not EventKind.REGISTERED or before.kind is EventKind.RELEASED
    assert renewed_in[EventKind.EXPIRED] > 100
    assert renewed_in[EventKind.REDEMPTION_BEGUN] > 20


def test_real_domains_always_stay_alive(demo_world):
    invented = set(invented_domains(demo_world))
    real = [domain for domain in demo_world.lives if domain not in invented]
    assert {"gmail.com", "debian.org", "duckdns.org"} <= set(real)
    for days in (0, 100, 365, RATES.horizon_days):
        assert {demo_world.status_at(domain, EPOCH + days * DAY) for domain in real} == {"active"}


def test_domains_are_what_hosts_are_registered_under(demo_world):
    assert set(demo_world.domains_by_host.values()) == set(demo_world.lives)
    for host, domain in demo_world.domains_by_host.items():
        assert registrable_domain(host) == domain


def test_hosts_come_in_all_spellings(demo_world):
    hosts = demo_world.domains_by_host
    assert any(not host.isascii() and domain.startswith("xn--") for host, domain in hosts.items())
    assert any(host.isupper() for host in hosts)
    assert any(host.endswith(".") for host in hosts)
    assert any(domain == "duckdns.org" and host != domain for host, domain in hosts.items())
    assert any(host == f"mail.{domain}" for host, domain in hosts.items())
    assert any(domain.endswith(".co.uk") for domain in hosts.values())


def test_the_share_of_addresses_alone_on_their_host_is_that_of_the_sample(demo_world):
    hosts = Counter(
        address.email.rpartition("@")[2] for account in demo_world.accounts for address in account.addresses
    )
    alone = sum(1 for host, count in hosts.items() if count == 1 and host in demo_world.domains_by_host)
    assert alone / hosts.total() == pytest.approx(RATES.alone_on_host, abs=0.02)


def test_addresses_were_verified_while_the_domain_was_their_owners(demo_world):
    seen = 0
    for account in demo_world.accounts:
        for address in account.addresses:
            assert address.verified_at is None or account.joined_at < address.verified_at < EPOCH
            domain = demo_world.domains_by_host.get(address.email.rpartition("@")[2])
            if domain is None or address.verified_at is None:
                continue
            life = demo_world.lives[domain]
            assert life.registered_at(address.verified_at) == life.events[0].at
            assert life.phase_at(address.verified_at) in (Phase.ACTIVE, Phase.HELD)
            seen += 1
    assert seen > 20_000


def test_a_world_by_hand_holds_what_it_was_given():
    world = World.of({"one.com": Life.active(expires=EPOCH), "two.de": Life.lapsing(expires=EPOCH)}, EPOCH)
    assert set(world.lives) == {"one.com", "two.de"}
    emails = [address.email for account in world.accounts for address in account.addresses]
    assert emails == ["owner@one.com", "owner@two.de"]
    assert all(address.verified for account in world.accounts for address in account.addresses)


def test_a_world_by_hand_says_when_an_address_was_verified():
    lives = {"one.com": Life.active(expires=EPOCH), "two.de": Life.active(expires=EPOCH)}
    world = World.of(lives, EPOCH, verified_at={"two.de": EPOCH - DAY})
    dated = {account.addresses[0].email: account.addresses[0].verified_at for account in world.accounts}
    assert dated == {"owner@one.com": lives["one.com"].events[0].at + 30 * DAY, "owner@two.de": EPOCH - DAY}
    assert all(account.joined_at < account.addresses[0].verified_at for account in world.accounts)


@pytest.mark.parametrize(
    "said",
    [
        {"dns": {"other.com": {Phase.ACTIVE: Delegation.NO_MAIL}}},
        {"dns": {"mail.other.com": {Phase.ACTIVE: Delegation.NO_MAIL}}},
        {"dns": {"one.com": {Phase.REDEMPTION: Delegation.PARKED}}},
        {"verified_at": {"other.com": EPOCH}},
    ],
    ids=["another domain's DNS", "another host's DNS", "DNS in redemption", "another address"],
)
def test_a_world_by_hand_refuses_what_it_would_not_show(said):
    with pytest.raises(ValueError, match=r"not in this world|these phases only"):
        World.of({"one.com": Life.active(expires=EPOCH)}, EPOCH, **said)
