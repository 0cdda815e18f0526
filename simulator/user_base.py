"""The accounts of the user base, with their e-mail addresses. All names are invented."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from simulator.draw import Draw, Weighted
from simulator.hosts import Host
from simulator.lives import EventKind, Life
from simulator.malformed import KINDS, malformed_addresses
from simulator.names import invent
from simulator.rates import RATES

DAY = timedelta(days=1)
_LONGEST = RATES.verified_within_days * DAY
_ADDRESSES = Weighted(RATES.addresses)
_SECOND_FACTORS = Weighted(RATES.second_factors)
_PROJECTS = Weighted(RATES.projects)
_REASONS = ["spam complaint", "hard bounce", "soft bounce"]


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address: when its user proved to hold it, if ever, and why it is not trusted since, if so."""

    email: str
    verified_at: datetime | None
    unverify_reason: str | None = None
    public: bool = False

    @property
    def verified(self) -> bool:
        """Whether the address is trusted at the epoch."""
        return self.verified_at is not None and self.unverify_reason is None


@dataclass(frozen=True, slots=True)
class Project:
    """Something that an account publishes, by its normalized name."""

    name: str
    is_popular: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A user with one address or more; the first one is the primary address.

    `second_factor` is one of those in `Rates.second_factors`. A project has one owner, and may have other maintainers.
    """

    username: str
    name: str
    joined_at: datetime
    is_active: bool
    addresses: tuple[Address, ...]
    second_factor: str | None = None
    owns: tuple[Project, ...] = ()
    maintains: tuple[Project, ...] = ()


def account_on(domain: str, life: Life, verified_at: datetime | None = None) -> Account:
    """An account with one address, verified a month after its domain was first registered unless told otherwise."""
    verified_at = verified_at or life.events[0].at + 30 * DAY
    address = Address(f"owner@{domain}", verified_at)
    return Account(domain.replace(".", "-"), f"Owner of {domain}", verified_at - DAY, True, (address,))


def draw_accounts(
    draw: Draw, count: int, hosts: Iterator[Host], life_of: Callable[[Host], Life], epoch: datetime
) -> tuple[Account, ...]:
    """So many accounts, on hosts taken from an endless supply; some also hold a malformed address."""
    malformed = _malformed_by_account(draw, count)
    taken: set[str] = set()
    accounts = []
    for number in range(count):
        given, family = invent(draw, 2), invent(draw, 2)
        addresses = []
        for host in islice(hosts, draw.weighted(_ADDRESSES)):
            email = _free_email(draw, given, family, host.written, taken)
            addresses.append(_address(draw, email, _verification(draw, life_of(host), epoch)))
        addresses += [
            _address(draw, email, epoch - _seconds(draw, DAY, _LONGEST)) for email in malformed.get(number, [])
        ]
        joined = min((it.verified_at for it in addresses if it.verified_at), default=epoch - DAY)
        accounts.append(
            Account(
                username=f"{given}{number}",
                name=f"{given} {family}".title(),
                joined_at=joined - timedelta(minutes=10),
                is_active=not draw.chance(RATES.inactive_account),
                addresses=tuple(addresses),
            )
        )
    return tuple(accounts)


def with_belongings(draw: Draw, accounts: Iterable[Account]) -> tuple[Account, ...]:
    """The accounts with the second factors and projects that they have."""
    known: list[Project] = []
    furnished = []
    for account in accounts:
        earlier = len(known)
        second_factor = draw.weighted(_SECOND_FACTORS)
        for _ in range(draw.weighted(_PROJECTS)):
            known.append(Project(f"{invent(draw, 3)}{len(known)}", draw.chance(RATES.popular_project)))
        maintains = (draw.pick(known[:earlier]),) if earlier and draw.chance(RATES.maintains_anothers) else ()
        furnished.append(
            replace(account, second_factor=second_factor, owns=tuple(known[earlier:]), maintains=maintains)
        )
    return tuple(furnished)


def _malformed_by_account(draw: Draw, accounts: int) -> dict[int, list[str]]:
    """Malformed addresses for a few accounts, at least one of each kind as soon as there is an account."""
    count = max(len(KINDS), round(RATES.malformed * accounts)) if accounts else 0
    homes: dict[int, list[str]] = {}
    for email in malformed_addresses(draw, count):
        homes.setdefault(draw.whole(0, accounts - 1), []).append(email)
    return homes


def _free_email(draw: Draw, given: str, family: str, host: str, taken: set[str]) -> str:
    """An address on the host that nobody has yet."""
    email = f"{draw.pick([given, f'{given}.{family}', f'{given}+pypi'])}@{host}"
    while email in taken:
        email = f"{given}.{family}{draw.whole(1, 9999)}@{host}"
    taken.add(email)
    return email


def _verification(draw: Draw, life: Life, epoch: datetime) -> datetime:
    """When the user proved to hold an address: before its domain ever expired."""
    expired = next((event.at for event in life.events if event.kind is EventKind.EXPIRED), epoch)
    latest = min(expired, epoch - DAY)
    earliest = max(life.events[0].at + DAY, epoch - _LONGEST)
    return latest - _seconds(draw, timedelta(0), latest - earliest)


def _address(draw: Draw, email: str, verified_at: datetime) -> Address:
    """An address as most are, or one that was never verified, or no longer is."""
    public = draw.chance(RATES.public)
    if draw.chance(RATES.never_verified):
        return Address(email, None, None, public)
    reason = draw.pick(_REASONS) if draw.chance(RATES.unverified_since) else None
    return Address(email, verified_at, reason, public)


def _seconds(draw: Draw, low: timedelta, high: timedelta) -> timedelta:
    return timedelta(seconds=int(draw.between(low.total_seconds(), high.total_seconds())))
