"""Domains of which many come to their date within the three weeks, and the accounts on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from simulator.draw import Draw
from simulator.lives import EventKind, Life
from simulator.names import invent
from simulator.user_base import Account, Address, with_belongings
from simulator.world import World
from simulator.year.domains import YearDomain, year_domains

SEED = "season"
DAY = timedelta(days=1)
DOMAINS = 600
EVENTFUL = 120
DRAWN = 5000
MOST_ADDRESSES = 6
LIFE_BEFORE = 110 * DAY
"""So long before today everybody is in order: who lapses now has come to the date since."""

CLUB = "rowing-club.org"
CLUB_MEMBERS = 40
"""A domain with more addresses than a run may unverify by itself; its redemption begins just before today's run."""

APPEALS = ("choir.net", "print-shop.com")
"""Domains that are in redemption for a few days when their owners write to support."""

_EVENTFUL = {EventKind.EXPIRED, EventKind.REDEMPTION_BEGUN, EventKind.HOLD_PLACED, EventKind.HANDED_OVER}


@dataclass(frozen=True, slots=True)
class _Settled:
    """A domain, and how many verified addresses are on it."""

    name: str
    life: Life
    addresses: int


def world_until(now: datetime, days: int) -> World:
    """Return a world in which much happens in so many days before `now`, and something after."""
    # At the time of day at which the runs are: so the same happens between them whenever that is.
    epoch = now - LIFE_BEFORE
    drawn = list(year_domains(SEED, range(DRAWN), epoch, auction_share=0.1))
    eventful = [domain for domain in drawn if _is_eventful(domain, now - days * DAY, now)][:EVENTFUL]
    dull = (domain for domain in drawn if not _is_eventful(domain, epoch, now))
    domains = [*eventful, *islice(dull, DOMAINS - len(eventful))]
    furnished = {CLUB: Life.lapsing(now - 30.5 * DAY, grace=30 * DAY)}
    furnished |= {name: Life.lapsing(now - 38.5 * DAY, grace=30 * DAY) for name in APPEALS}
    world = World.of(
        {domain.name: domain.life for domain in domains} | furnished,
        epoch,
        {domain.name: domain.quirks for domain in domains},
        dns={domain.name: domain.delegations for domain in domains},
    )
    settled = [_Settled(domain.name, domain.life, min(domain.address_count, MOST_ADDRESSES)) for domain in domains]
    settled += [_Settled(name, life, CLUB_MEMBERS if name == CLUB else 2) for name, life in furnished.items()]
    accounts = _accounts(settled, epoch - DAY)
    world.accounts = with_belongings(Draw(SEED, "belongings"), tuple(accounts))
    return world


def _is_eventful(domain: YearDomain, since: datetime, until: datetime) -> bool:
    return any(event.kind in _EVENTFUL and since <= event.at < until for event in domain.life.events)


def _accounts(settled: list[_Settled], verified_at: datetime) -> Iterator[Account]:
    """Yield an account for each address; some have a second one, on the domain that comes next."""
    draw = Draw(SEED, "accounts")
    for number, domain in enumerate(settled):
        neighbour = settled[(number + 1) % len(settled)].name
        for member in range(domain.addresses):
            given, family = invent(draw, 2), invent(draw, 2)
            hosts = [domain.name, neighbour] if draw.chance(0.15) else [domain.name]
            yield Account(
                username=f"{given}{number}-{member}",
                name=f"{given} {family}".title(),
                joined_at=verified_at - DAY,
                is_active=True,
                addresses=tuple(Address(f"{given}{number}.{family}{member}@{host}", verified_at) for host in hosts),
            )
