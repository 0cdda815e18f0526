"""What a caller may ask a status API: anything else is refused with 400.

Where the real APIs' documentation is silent, the stricter reading holds.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

import idna
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from simulator.zones import zone_of

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_A_LABELS = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


class StatusQuery(NamedTuple):
    """One domain asked about, the zone it lies in, and whether an estimate will do."""

    domain: str
    zone: str
    estimate: bool


def parse(parameters: QueryParams, allowed: Collection[str]) -> StatusQuery:
    """The query behind the parameters of a request. HTTPException 400 says what is wrong with them."""
    if unknown := sorted(set(parameters) - set(allowed)):
        raise HTTPException(400, f"unknown parameter: {', '.join(unknown)}")
    for name in allowed:
        if len(parameters.getlist(name)) > 1:
            raise HTTPException(400, f"{name} is given more than once")
    domain = parameters.get("domain", "")
    if not domain:
        raise HTTPException(400, "domain is missing")
    scope = parameters.get("scope")
    if scope not in (None, "estimate"):
        raise HTTPException(400, f"unknown scope: {scope}")
    return StatusQuery(domain, _zone(domain), scope == "estimate")


def _zone(domain: str) -> str:
    if "," in domain:
        raise HTTPException(400, "one domain a call")
    if not _A_LABELS.fullmatch(domain):
        raise HTTPException(400, f"not a domain in lower-case A-labels: {domain}")
    if "xn--" in domain:
        try:
            idna.decode(domain)
        except idna.IDNAError as error:
            raise HTTPException(400, f"not valid A-labels: {domain}: {error}") from error
    zone = zone_of(domain)
    if zone is None:
        raise HTTPException(400, f"under no known top-level domain: {domain}")
    return zone
