"""What a check can end in: evidence, or no evidence with a typed reason. Never a third thing that looks like either."""

from dataclasses import dataclass
from enum import StrEnum


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
