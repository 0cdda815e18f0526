"""The two domain status APIs: Fastly Domain Research and Domainr v2."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.calls import Calls
from simulator.clock import Clock
from simulator.faults import FaultKind, Faults, Service
from simulator.http_faults import before_answering, garbled
from simulator.latency import Latency
from simulator.quota import Quota
from simulator.status_query import StatusQuery, parse
from simulator.world import World

# Only the registry knows of these, and an estimate does not ask it. That the others stay is an assumption.
_REGISTRY_FLAGS = {"expiring", "deleting"}


class Reading(NamedTuple):
    """What an answer is going to say; a fault may leave the status out."""

    domain: str
    zone: str
    status: str | None
    estimate: bool


class StatusApi:
    """Answers for the world at the clock's instant."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        faults: Faults,
        latency: Latency,
        api_key: str,
        requests_per_second: float | None,
    ) -> None:
        self._world = world
        self._clock = clock
        self._faults = faults
        self._latency = latency
        self._api_key = api_key
        self.quota = Quota(requests_per_second)
        self.calls = Calls()

    async def fastly(self, request: Request) -> Response:
        """`GET /domain-management/v1/tools/status?domain=D[&scope=estimate]`, key in the header."""
        return await self._count(request, request.headers.get("Fastly-Key"), ("domain", "scope"), _as_fastly)

    async def domainr(self, request: Request) -> Response:
        """`GET /v2/status?domain=D`, key in the header `Fastly-Key` or in the query's `client_id`."""
        key = request.headers.get("Fastly-Key") or request.query_params.get("client_id")
        return await self._count(request, key, ("domain", "client_id"), _as_domainr)

    async def _count(
        self,
        request: Request,
        key: str | None,
        parameters: Collection[str],
        shape: Callable[[Reading], dict[str, Any]],
    ) -> Response:
        """Answers a call and counts it, also when it is refused."""
        self.calls.arrived()
        try:
            await self._latency.pass_by()
            self._admit(key)
            response = await self._answer(request, parse(request.query_params, parameters), shape)
        except HTTPException as reason:
            self.calls.answered(reason.status_code)
            raise
        self.calls.answered(response.status_code)
        return response

    def _admit(self, key: str | None) -> None:
        if not key:
            raise HTTPException(401, "an API key is needed")
        if key != self._api_key:
            raise HTTPException(403, "the API key is not valid")
        if wait := self.quota.seconds_to_wait():
            raise HTTPException(429, "over the quota of requests a second", {"Retry-After": str(wait)})

    async def _answer(
        self, request: Request, query: StatusQuery, shape: Callable[[Reading], dict[str, Any]]
    ) -> Response:
        call = self.calls.asked_about(query.domain)
        fault = self._faults.striking(Service.STATUS, query.domain, call)
        reading = self._read(query)
        if fault is None:
            return JSONResponse(shape(reading))
        await before_answering(request, fault)
        return garbled(shape(_misread(reading, fault.kind)), fault.kind)

    def _read(self, query: StatusQuery) -> Reading:
        status = self._world.status_at(query.domain, self._clock.now())
        if query.estimate:
            status = " ".join(flag for flag in status.split() if flag not in _REGISTRY_FLAGS)
        return Reading(query.domain, query.zone, status, query.estimate)


def _misread(reading: Reading, fault: FaultKind) -> Reading:
    """What the answer says instead."""
    match fault:
        case FaultKind.NO_STATUS:
            return reading._replace(status=None)
        case FaultKind.OTHER_DOMAIN:
            return reading._replace(domain=f"not-{reading.domain}")
        case FaultKind.UNKNOWN_FLAG:
            return reading._replace(status="undelegated quarantined")
        case FaultKind.UNKNOWN_STORM:
            return reading._replace(status="unknown")
        case FaultKind.FALSE_INACTIVE:
            return reading._replace(status="undelegated inactive")
    return reading


def _as_fastly(reading: Reading) -> dict[str, Any]:
    # Fastly's documentation shows the tag `generic`; what it tags a country's zone with is an assumption.
    country = len(reading.zone.rpartition(".")[2]) == 2
    content = {"domain": reading.domain, "zone": reading.zone, "tags": "country" if country else "generic"}
    if reading.status is not None:
        content["status"] = reading.status
    if reading.estimate:
        content["scope"] = "estimate"
    return content


def _as_domainr(reading: Reading) -> dict[str, Any]:
    entry = {"domain": reading.domain, "zone": reading.zone}
    if reading.status is not None:
        entry |= {"status": reading.status, "summary": reading.status.rpartition(" ")[2]}
    return {"status": [entry]}
