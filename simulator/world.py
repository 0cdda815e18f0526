"""The simulated internet: domains with their lives, and the user base whose addresses lie on them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from simulator.delegations import DELEGABLE, Delegation, Delegations, delegation, draw_delegations
from simulator.draw import Draw
from simulator.fates import faithful_life, fateful_life
from simulator.hosts import Host, hosts
from simulator.lives import Life, Phase
from simulator.rates import RATES
from simulator.status_flags import Quirks, draw_quirks, status_flags
from simulator.user_base import Account, account_on, draw_accounts, with_belongings
from simulator.zones import registrable_domain


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
        self.events_since = epoch - timedelta(days=RATES.events_reach_back_days)  # what the user base still records
        self.lives: dict[str, Life] = {}  # by registrable domain, as lower-case A-labels
        self.quirks: dict[str, Quirks] = {}  # of the domains that have any
        self.delegations: dict[str, Delegations] = {}  # of the domains, and the hosts below, that have special ones
        self.domains_by_host: dict[str, str] = {}  # hosts as their users write them
        self.accounts: tuple[Account, ...] = with_belongings(
            Draw(seed, "belongings"),
            draw_accounts(Draw(seed, "accounts"), accounts, hosts(Draw(seed, "hosts")), self._settle, epoch),
        )

    @classmethod
    def of(
        cls,
        lives: Mapping[str, Life],
        epoch: datetime,
        quirks: Mapping[str, Quirks] | None = None,
        *,
        dns: Mapping[str, Delegations] | None = None,
        verified_at: Mapping[str, datetime] | None = None,
    ) -> "World":
        """A small world furnished by hand: these domains with their usual flags, one account on each.

        `dns` says for domains, or hosts below them, where they differ from `Delegation.MAIL_EXCHANGE` while active or
        in grace. `verified_at` says by domain when its account proved to hold the address, which is then on record
        however long ago it was. ValueError for names outside the world, and for phases without DNS.
        """
        dns, verified_at = dns or {}, verified_at or {}
        if strangers := [name for name in (*dns, *verified_at) if registrable_domain(name) not in lives]:
            raise ValueError(f"not in this world: {', '.join(strangers)}")
        if any(phase not in DELEGABLE for special in dns.values() for phase in special):
            raise ValueError(f"domains are delegated in these phases only: {', '.join(DELEGABLE)}")
        world = cls("", 0, epoch)
        world.lives.update(lives)
        world.quirks.update(quirks or {})
        world.delegations.update(dns)
        world.domains_by_host.update({domain: domain for domain in lives})
        world.accounts = tuple(account_on(domain, life, verified_at.get(domain)) for domain, life in lives.items())
        world.events_since = min([world.events_since, *verified_at.values()])
        return world

    @property
    def popular_projects(self) -> list[str]:
        """The projects that much of the world depends on, by normalized name."""
        return [project.name for account in self.accounts for project in account.owns if project.is_popular]

    def status_at(self, domain: str, instant: datetime) -> str:
        """The status flags of a domain (A-labels) at an instant; one the world lacks was never registered."""
        return status_flags(domain, self.lives.get(domain), self.quirks.get(domain, {}), instant)

    def phase_at(self, domain: str, instant: datetime) -> Phase:
        """Where a domain (A-labels) stands in its life at an instant; one the world lacks was never registered."""
        life = self.lives.get(domain)
        return life.phase_at(instant) if life else Phase.NEVER_REGISTERED

    def delegation_at(self, domain: str, instant: datetime) -> Delegation:
        """What DNS holds of a domain (A-labels) at an instant."""
        special = self.delegations.get(domain, {})
        return delegation(self.phase_at(domain, instant), self.status_at(domain, instant), special)

    def host_at(self, host: str, domain: str, instant: datetime) -> Delegation:
        """What DNS holds of a host below a domain: the same, unless the host is special; `NONE`: it does not exist."""
        of_domain = self.delegation_at(domain, instant)
        if of_domain in (Delegation.NONE, Delegation.PARKED):
            return of_domain
        special = self.delegations.get(host, {})
        return special.get(self.phase_at(domain, instant), special.get(Phase.ACTIVE, of_domain))

    def _settle(self, host: Host) -> Life:
        """The life of a host's domain, begun when the first address on it turns up."""
        self.domains_by_host[host.written] = host.domain
        if host.domain not in self.lives:
            draw = Draw(self._seed, "life", host.domain)
            self.lives[host.domain] = (fateful_life if host.invented else faithful_life)(draw, self.epoch)
            if host.invented and (quirks := draw_quirks(draw)):
                self.quirks[host.domain] = quirks
            if host.invented and (special := draw_delegations(Draw(self._seed, "dns", host.domain))):
                self.delegations[host.domain] = special
        return self.lives[host.domain]
