"""The registries that answer RDAP, with the habits of each. Other top-level domains have no RDAP server at all.

The names are those of real registries, after which the habits are modelled, not copied: what one really shows
may differ.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class DateStyle(StrEnum):
    """The spellings of an instant that RFC 3339 allows and registries use."""

    ZULU = "2026-03-01T00:00:00Z"
    FRACTION = "2026-03-01T00:00:00.000Z"
    OFFSET = "2026-03-01T00:00:00+00:00"

    def write(self, instant: datetime) -> str:
        """The instant, so spelt."""
        timespec = "milliseconds" if self is DateStyle.FRACTION else "seconds"
        written = instant.astimezone(UTC).isoformat(timespec=timespec)
        return written if self is DateStyle.OFFSET else written.replace("+00:00", "Z")


@dataclass(frozen=True)
class Registry:
    """A registry with an RDAP server, and how its answers differ from those of others."""

    name: str
    tlds: tuple[str, ...] = ()  # in IANA's bootstrap file
    unlisted_tlds: tuple[str, ...] = ()  # served as well, but missing from that file
    upper_case: bool = False  # writes `ldhName` in capitals
    dates: DateStyle = DateStyle.ZULU
    standing_status: str = "active"  # what it shows of a domain in order
    says_inactive: bool = False  # RFC 8056: registered, but without name servers
    shows_registration: bool = True
    shows_expiration: bool = True
    shows_grace: bool = True
    renews_by_itself: bool = True  # so that the expiration date moves a year ahead in auto-renew grace
    pending_delete_from_redemption: bool = True  # RFC 3915: redemption is a part of the pending deletion
    links_registrar: bool = False

    def answers_for(self, tld: str) -> bool:
        """Whether domains under a top-level domain are asked about here."""
        return tld in self.tlds or tld in self.unlisted_tlds


_LOCKED = "client transfer prohibited"

REGISTRIES = (
    Registry(
        "verisign",
        ("com", "net", "cc", "name"),
        upper_case=True,
        standing_status=_LOCKED,
        pending_delete_from_redemption=False,
        links_registrar=True,
    ),
    Registry("pir", ("org",), dates=DateStyle.FRACTION, standing_status=_LOCKED, links_registrar=True),
    Registry("google", ("dev", "app"), dates=DateStyle.OFFSET, standing_status=_LOCKED, links_registrar=True),
    Registry(
        "identity",
        ("ai", "info", "pro", "email", "tools"),
        unlisted_tlds=("io", "me", "sh"),
        dates=DateStyle.FRACTION,
        standing_status=_LOCKED,
        links_registrar=True,
    ),
    Registry("centralnic", ("xyz",), dates=DateStyle.FRACTION, says_inactive=True, links_registrar=True),
    Registry("radix", ("space",), dates=DateStyle.FRACTION, links_registrar=True),
    Registry("nic-biz", ("biz",), standing_status=_LOCKED, links_registrar=True),
    Registry("nominet", ("uk",), renews_by_itself=False),
    Registry("afnic", ("fr",), shows_grace=False),
    Registry("sidn", ("nl",), shows_expiration=False),
    Registry("nic-cz", ("cz",), dates=DateStyle.OFFSET, shows_grace=False, renews_by_itself=False),
    Registry("dns-pl", ("pl",), renews_by_itself=False, pending_delete_from_redemption=False),
    Registry("registro-br", ("br",), shows_grace=False, renews_by_itself=False),
    Registry("cira", ("ca",)),
    Registry("nixi", ("in",), upper_case=True, dates=DateStyle.FRACTION),
    Registry("auda", ("au",), shows_expiration=False),
    Registry("denic", unlisted_tlds=("de",), shows_registration=False, shows_expiration=False, shows_grace=False),
)
