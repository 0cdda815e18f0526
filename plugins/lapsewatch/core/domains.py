"""From the host of an address to the domain that can lapse.

Hosts are compared as lower-case A-labels (IDNA 2008 with UTS 46 mapping) without a trailing dot. The registrable
domain follows the Public Suffix List's ICANN section only: an address at `foo.duckdns.org` lives under
`duckdns.org`, because that is what its owner renews.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from lapsewatch.core.providers import WELL_KNOWN_PROVIDERS

MAX_HOST_LENGTH = 253
"""Octets of a host name in its text form (RFC 1035, section 2.3.4)."""

_PLAIN_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_IPV4 = re.compile(r"[0-9.]+")


class SetAside(StrEnum):
    """Why addresses on a host are counted but never checked: nothing that could be renewed stands behind them."""

    NO_HOST = "no_host"
    SEVERAL_AT_SIGNS = "several_at_signs"
    QUOTED_LOCAL_PART = "quoted_local_part"
    IP_LITERAL = "ip_literal"
    HOST_TOO_LONG = "host_too_long"
    INVALID_HOST = "invalid_host"
    PUBLIC_SUFFIX = "public_suffix"
    NO_PUBLIC_SUFFIX = "no_public_suffix"


@dataclass(frozen=True, slots=True)
class Registrable:
    """The registrable domain behind a host, and whether a well-known provider owns it."""

    domain: str
    is_provider: bool


def classify_host(host: str | None, *, at_sign_count: int = 1, is_quoted: bool = False) -> Registrable | SetAside:
    """Say what stands behind a host as a user database holds it.

    `host` is what follows the last `@` (None where there is no `@`); `at_sign_count` and `is_quoted` tell what the
    whole address looked like without showing it. Never raises, whatever the text.
    """
    if not host or at_sign_count == 0:
        return SetAside.NO_HOST
    if is_quoted:
        return SetAside.QUOTED_LOCAL_PART
    if at_sign_count > 1:
        return SetAside.SEVERAL_AT_SIGNS
    if host.startswith("["):
        return SetAside.IP_LITERAL
    return _classify_name(host)


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True, accept_unknown=False)


def _classify_name(host: str) -> Registrable | SetAside:
    if len(host) > MAX_HOST_LENGTH + 1:
        return SetAside.HOST_TOO_LONG
    name = a_labels(host)
    if name is None:
        return SetAside.INVALID_HOST
    if len(name) > MAX_HOST_LENGTH:
        return SetAside.HOST_TOO_LONG
    if _IPV4.fullmatch(name):
        return SetAside.IP_LITERAL
    domain: str | None = _suffixes().privatesuffix(name)
    if domain is None:
        return SetAside.PUBLIC_SUFFIX if _suffixes().is_public(name) else SetAside.NO_PUBLIC_SUFFIX
    return Registrable(domain, domain in WELL_KNOWN_PROVIDERS)


def a_labels(host: str) -> str | None:
    """Return the host as lower-case A-labels without a trailing dot, or None where it is no host name.

    Follows IDNA 2008 (RFC 5891) with the UTS 46 mapping, and the letter-digit-hyphen rule of RFC 1123.
    """
    name = host.removesuffix(".").lower()
    if not name.isascii() or "xn--" in name:
        try:
            name = idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    return name if _PLAIN_HOST.fullmatch(name) else None
