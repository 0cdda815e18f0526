"""The simulated internet: domains with their lives, and the user base whose addresses lie on them."""

from collections.abc import Mapping
from datetime import datetime

from simulator.draw import Draw
from simulator.fates import faithful_life, fateful_life
from simulator.hosts import Host, hosts
from simulator.lives import Life
from simulator.status_flags import Quirks, draw_quirks, status_flags
from simulator.user_base import Account, account_on, draw_accounts


class World:
    """A world that its seed, its number of accounts and its epoch decide, to the last bit.

    All dates are the epoch plus seeded offsets: at the same distance from the epoch it looks the same on any
    day. Real domains stay alive and `active` in it, since nobody's own should be shown as lapsed; only
    invented ones lapse. ValueError for an epoch without a time zone.
    """

    def __init__(self, seed: str, accounts: int, epoch: datetime) -> None:
        if epoch.tzinfo is None:
            raise ValueError(f"the epoch needs a time zone: {epoch.isoformat()}")
        self._seed = seed
        self.epoch = epoch
        self.lives: dict[str, Life] = {}  # by registrable domain, as lower-case A-labels
        self.quirks: dict[str, Quirks] = {}  # of the domains that have any
        self.domains_by_host: dict[str, str] = {}  # hosts as their users write them
        self.accounts: tuple[Account, ...] = draw_accounts(
            Draw(seed, "accounts"), accounts, hosts(Draw(seed, "hosts")), self._settle, epoch
        )

    @classmethod
    def of(cls, lives: Mapping[str, Life], epoch: datetime, quirks: Mapping[str, Quirks] | None = None) -> "World":
        """A small world furnished by hand: these domains with their usual flags, one account on each."""
        world = cls("", 0, epoch)
        world.lives.update(lives)
        world.quirks.update(quirks or {})
        world.domains_by_host.update({domain: domain for domain in lives})
        world.accounts = tuple(account_on(domain, life) for domain, life in lives.items())
        return world

    def status_at(self, domain: str, instant: datetime) -> str:
        """The status flags of a domain (A-labels) at an instant; one the world lacks was never registered."""
        return status_flags(domain, self.lives.get(domain), self.quirks.get(domain, {}), instant)

    def _settle(self, host: Host) -> Life:
        """The life of a host's domain, begun when the first address on it turns up."""
        self.domains_by_host[host.written] = host.domain
        if host.domain not in self.lives:
            draw = Draw(self._seed, "life", host.domain)
            self.lives[host.domain] = (fateful_life if host.invented else faithful_life)(draw, self.epoch)
            if host.invented and (quirks := draw_quirks(draw)):
                self.quirks[host.domain] = quirks
        return self.lives[host.domain]
