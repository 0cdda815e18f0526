"""What a question can end in: evidence, or no evidence with a typed reason. Never a third thing that looks like either.

There are three kinds of witnesses: a status API with its flags, the registry's RDAP server, and DNS.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Flag(StrEnum):
    """The vocabulary of Fastly's and Domainr's domain status (Domainr API documentation, "Status")."""

    UNKNOWN = "unknown"
    UNDELEGATED = "undelegated"
    INACTIVE = "inactive"
    PENDING = "pending"
    DISALLOWED = "disallowed"
    CLAIMED = "claimed"
    RESERVED = "reserved"
    DPML = "dpml"
    INVALID = "invalid"
    ACTIVE = "active"
    PARKED = "parked"
    MARKETED = "marketed"
    EXPIRING = "expiring"
    DELETING = "deleting"
    PRICED = "priced"
    TRANSFERABLE = "transferable"
    PREMIUM = "premium"
    SUFFIX = "suffix"
    ZONE = "zone"
    TLD = "tld"


class NoEvidenceReason(StrEnum):
    """Why a check says nothing about a domain. None of these may ever count against an address."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"
    BAD_REQUEST = "bad_request"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    NO_STATUS = "no_status"
    OTHER_DOMAIN = "other_domain"
    UNKNOWN_FLAG = "unknown_flag"
    PROVIDER_UNKNOWN = "provider_unknown"
    WRONG_OBJECT = "wrong_object"
    NO_SERVER = "no_server"
    SERVER_PAUSED = "server_paused"
    SERVFAIL = "servfail"
    BAD_DNS_ANSWER = "bad_dns_answer"
    BUDGET_SPENT = "budget_spent"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The status flags of a domain, in increasing order of precedence, with the answer they were read from."""

    flags: tuple[Flag, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class NoEvidence:
    """A check that says nothing, why, and what was received, if anything (shortened, never with a key)."""

    reason: NoEvidenceReason
    raw: str = ""


Outcome = Evidence | NoEvidence


class RdapOutcome(StrEnum):
    """What the registry's RDAP server said: here is the registration, there is none, or nothing usable."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    NO_EVIDENCE = "no_evidence"


@dataclass(frozen=True, slots=True)
class RdapReading:
    """The registry's record of a domain (RFC 9083), as far as it bears on a lapse.

    `status` holds RFC 8056 values in lower case. `registered_at` is the latest registration or re-registration event.
    `expires_at` is the registry's date, which in auto-renew grace is a year ahead of what the owner paid for.
    """

    outcome: RdapOutcome
    status: tuple[str, ...] = ()
    registered_at: datetime | None = None
    expires_at: datetime | None = None
    changed_at: datetime | None = None
    registrar: str | None = None
    nameservers: tuple[str, ...] = ()
    reason: NoEvidenceReason | None = None


class DnsOutcome(StrEnum):
    """Whether the parent zone delegates the domain; a resolver that fails has not said so."""

    DELEGATED = "delegated"
    NOT_DELEGATED = "not_delegated"
    NO_EVIDENCE = "no_evidence"


class Denial(StrEnum):
    """How DNS says that there is no delegation (RFC 2308): the name does not exist, or it has no name servers."""

    NXDOMAIN = "nxdomain"
    NODATA = "nodata"


@dataclass(frozen=True, slots=True)
class DnsReading:
    """What DNS said: the delegation with its name servers, or how it was denied, and whether a host takes mail.

    `mx` and `address` say whether the host, or the domain, has an MX record or an A or AAAA record (RFC 5321, section
    5.1: without an MX, mail goes to the address); None where DNS did not say.
    """

    outcome: DnsOutcome
    nameservers: tuple[str, ...] = ()
    mx: bool | None = None
    address: bool | None = None
    denial: Denial | None = None
    reason: NoEvidenceReason | None = None


def rdap_status(text: str) -> str:
    """Return a status as RFC 8056 writes it, also where somebody writes EPP's own (`redemptionPeriod`, `ok`)."""
    words = " ".join(_CAMEL_CASE.sub(" ", text).lower().split())
    return "active" if words == "ok" else words


def read_flags(status: str) -> tuple[Flag, ...] | None:
    """Read a space-separated status, keeping its order.

    None where a word is unknown, where there is none, or where there are more than the vocabulary has.
    """
    words = status.split()
    if not 0 < len(words) <= len(Flag):
        return None
    try:
        return tuple(Flag(word) for word in words)
    except ValueError:
        return None
