"""What a caller may ask a status API: anything else is refused with 400.

Where the real APIs' documentation is silent, the stricter reading holds.
"""

from collections.abc import Collection
from typing import NamedTuple

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from simulator.asked_name import zone_of_asked


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
    if "," in domain:
        raise HTTPException(400, "one domain a call")
    scope = parameters.get("scope")
    if scope not in (None, "estimate"):
        raise HTTPException(400, f"unknown scope: {scope}")
    return StatusQuery(domain, zone_of_asked(domain), scope == "estimate")
