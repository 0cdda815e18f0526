"""Every assumption about how often something happens in the simulated internet, in one table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Shares are 0..1, weights add up to anything, lengths of time are days.

    A year has 365 days, so that nothing depends on which day the epoch is.
    """

    # Lives of domains

    # Assumption. The 25 % of .com/.net that lapse count parked and one-year names; domains with a mailbox in
    # use are kept far more often. 5 % a year leaves 3-4 % inactive, expiring or deleting at the epoch.
    lapses_at_expiry: float = 0.05
    # Assumption: of the owners who keep their domain, these pay late.
    renewed_in_grace: float = 0.06
    renewed_in_redemption: float = 0.01
    # ICANN ERRP: the registrar chooses the auto-renew grace, 0-45 days. What follows is fixed (lives.py).
    grace_days: tuple[int, int] = (1, 45)
    # Assumption: of the released domains, so many find a new owner, some within the minute (drop-catchers).
    taken_by_stranger: float = 0.3
    caught_within_a_minute: float = 0.4
    taken_within_days: int = 60
    # Assumption: mistaken or disputed client and server holds, for each year of a domain's life.
    held_in_a_year: float = 0.04
    held_days: tuple[int, int] = (2, 20)
    # Assumption: so long before the date owners renew; so old are domains at their date before the epoch.
    renewed_days_ahead: tuple[int, int] = (0, 30)
    age_years: tuple[int, int] = (1, 20)
    # Lives are told so far beyond the epoch: one simulated year and one to spare.
    horizon_days: int = 730

    # What the status API says of them

    # The flags are those PyPI's first run met (warehouse pull request 18055: 1,091 `undelegated inactive`,
    # 236 `undelegated active`, 87 `unknown`, ...); it counted no `active`, so the shares are assumptions.
    active_flags: tuple[tuple[str, float], ...] = (
        ("active", 0.9335),
        ("undelegated active", 0.05),
        ("active parked", 0.005),
        ("marketed priced undelegated active", 0.004),
        ("unknown", 0.003),
        ("inactive active", 0.002),
        ("undelegated", 0.001),
        ("undelegated reserved", 0.001),
        ("undelegated claimed", 0.0005),
    )
    # Assumption: some registrars switch the name servers off during grace.
    grace_flags: tuple[tuple[str, float], ...] = (
        ("active", 0.75),
        ("undelegated active", 0.25),
    )
    # `expiring` and `deleting` are not guaranteed (Domainr's documentation); how often they lack: assumption.
    redemption_flags: tuple[tuple[str, float], ...] = (
        ("undelegated active expiring", 0.8),
        ("undelegated active", 0.15),
        ("marketed priced active expiring", 0.05),
    )
    pending_delete_flags: tuple[tuple[str, float], ...] = (
        ("undelegated active deleting", 0.8),
        ("marketed priced deleting", 0.15),
        ("undelegated active", 0.05),
    )
    released_flags: tuple[tuple[str, float], ...] = (
        ("undelegated inactive", 0.97),
        ("inactive", 0.02),
        ("undelegated inactive premium", 0.01),
    )

    # What DNS holds of those that are delegated (the names are those of delegations.py)

    # Assumption: nearly every domain behind a working address has an MX; a few rely on the implicit one (RFC 5321,
    # section 5.1), and some take no mail any more.
    active_delegations: tuple[tuple[str, float], ...] = (
        ("MX and addresses", 0.945),
        ("addresses", 0.03),
        ("null MX and addresses", 0.005),
        ("neither MX nor address", 0.02),
    )
    # Assumption: in grace some registrars redirect what they leave delegated to a parking service, some only drop the
    # MX; most leave it as it was (None).
    grace_delegations: tuple[tuple[str | None, float], ...] = (
        (None, 0.55),
        ("parked", 0.35),
        ("addresses", 0.07),
        ("neither MX nor address", 0.03),
    )

    # The user base

    # Of 3,088 maintainer addresses seen (data/maintainer-hosts.tsv), 712 stand alone on their host.
    alone_on_host: float = 712 / 3088
    # Where the hosts that stand alone lie: after the same file. How they are written: assumption.
    tlds: tuple[tuple[str, float], ...] = (
        ("com", 24),
        ("org", 14),
        ("net", 10),
        ("de", 11),
        ("io", 5),
        ("dev", 5),
        ("co.uk", 4),
        ("fr", 3),
        ("me", 3),
        ("ch", 2),
        ("com.br", 2),
        ("eu", 2),
        ("it", 2),
        ("nl", 2),
        ("cz", 1),
        ("pl", 1),
        ("se", 1),
        ("xyz", 1),
        ("info", 1),
        ("com.au", 1),
        ("co.nz", 1),
        ("ai", 1),
        ("app", 1),
        ("in", 1),
        ("ca", 1),
    )
    on_subdomain: float = 0.08
    under_private_suffix: float = 0.015
    internationalised: float = 0.006
    in_upper_case: float = 0.01
    with_trailing_dot: float = 0.002
    # Assumption: accounts with one, two and three addresses.
    addresses: tuple[tuple[int, float], ...] = (
        (1, 0.85),
        (2, 0.12),
        (3, 0.03),
    )
    # Assumption: addresses never verified, and those that bounced or complained since.
    never_verified: float = 0.05
    unverified_since: float = 0.01
    public: float = 0.1
    inactive_account: float = 0.01
    # Assumption: addresses were verified over so many days before the epoch; events reach back less far.
    verified_within_days: int = 3650
    events_reach_back_days: int = 2000
    # Assumption: half of the accounts have a second factor, which PyPI demands of who publishes since 2024.
    second_factors: tuple[tuple[str | None, float], ...] = (
        (None, 0.5),
        ("one-time passwords", 0.4),
        ("security key", 0.1),
    )
    # Assumption: so many projects of their own, and some that they maintain for others.
    projects: tuple[tuple[int, float], ...] = (
        (0, 0.6),
        (1, 0.25),
        (2, 0.08),
        (5, 0.05),
        (20, 0.02),
    )
    maintains_anothers: float = 0.05
    # PyPI called the most downloaded 1 % of its projects critical, in 2022.
    popular_project: float = 0.01
    # Addresses no mail could ever reach, which real user databases hold from before validation was strict.
    malformed: float = 0.003


RATES = Rates()
