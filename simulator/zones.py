"""Which zone a name lies in: the Public Suffix List's ICANN section only.

Private suffixes (`duckdns.org`, `github.io`) are ordinary domains here: they are what expires.
"""

import idna
from publicsuffixlist import PublicSuffixList

_SUFFIXES = PublicSuffixList(accept_unknown=False, only_icann=True)


def zone_of(name: str) -> str | None:
    """The ICANN suffix a lower-case A-label name lies in, or is; None under an unknown top-level domain."""
    return _SUFFIXES.publicsuffix(name)


def registrable_part(name: str) -> str | None:
    """The domain that is registered for a lower-case A-label name; None for a suffix or an unknown top-level domain."""
    return _SUFFIXES.privatesuffix(name)


def registrable_domain(host: str) -> str | None:
    """The domain (A-labels) that is registered for a host as people write it (U-labels, upper case).

    None for a suffix itself or an unknown top-level domain; idna.IDNAError for a host that is no host name.
    """
    return registrable_part(idna.encode(host.rstrip("."), uts46=True).decode())
