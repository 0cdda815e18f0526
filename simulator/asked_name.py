"""The names that callers of the HTTP services may ask about: anything else is refused with 400."""

import re

import idna
from starlette.exceptions import HTTPException

from simulator.zones import zone_of

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_A_LABELS = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


def zone_of_asked(name: str) -> str:
    """The ICANN suffix a name lies in, or is. HTTPException 400 says what is wrong with the name."""
    if not _A_LABELS.fullmatch(name):
        raise HTTPException(400, f"not a domain in lower-case A-labels: {name}")
    if "xn--" in name:
        try:
            idna.decode(name)
        except idna.IDNAError as error:
            raise HTTPException(400, f"not valid A-labels: {name}: {error}") from error
    zone = zone_of(name)
    if zone is None:
        raise HTTPException(400, f"under no known top-level domain: {name}")
    return zone
