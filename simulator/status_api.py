"""The two domain status APIs: Fastly Domain Research and Domainr v2."""

import asyncio
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from simulator.answers import BrokenOff, Dripping
from simulator.calls import Calls
from simulator.clock import Clock
from simulator.faults import FaultKind, FaultRule, Faults
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
    """Answers for the world at the clock's instant. `latency_ms` passes before each answer, in real time."""

    def __init__(
        self, world: World, clock: Clock, api_key: str, latency_ms: float, requests_per_second: float | None
    ) -> None:
        self._world = world
        self._clock = clock
        self._api_key = api_key
        self.latency_ms = latency_ms
        self.quota = Quota(requests_per_second)
        self.faults = Faults()
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
            if self.latency_ms:
                await asyncio.sleep(self.latency_ms / 1000)
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
        fault = self.faults.striking(query.domain, call)
        reading = self._read(query)
        if fault is None:
            return JSONResponse(shape(reading))
        await _before_answering(request, fault)
        content = shape(_misread(reading, fault.kind))
        match fault.kind:
            case FaultKind.NOT_JSON:
                return HTMLResponse("<html><body><h1>Please try again</h1></body></html>")
            case FaultKind.TRUNCATED:
                return BrokenOff(content)
            case FaultKind.OVERSIZED:
                return Response(json.dumps(content) + " " * 1_000_000, media_type="application/json")
            case FaultKind.DRIPPING:
                return Dripping(content)
            case FaultKind.NESTED:
                return Response("[" * 50_000, media_type="application/json")
            case FaultKind.MISLABELLED:
                return JSONResponse(content, media_type="application/json; charset=utf-7")
        return JSONResponse(content)

    def _read(self, query: StatusQuery) -> Reading:
        status = self._world.status_at(query.domain, self._clock.now())
        if query.estimate:
            status = " ".join(flag for flag in status.split() if flag not in _REGISTRY_FLAGS)
        return Reading(query.domain, query.zone, status, query.estimate)


async def _before_answering(request: Request, fault: FaultRule) -> None:
    """Lets time pass, or refuses to answer at all."""
    match fault.kind:
        case FaultKind.SERVER_ERROR | FaultKind.REFUSED if fault.status is not None:
            raise HTTPException(fault.status, f"fault on request: {fault.kind}")
        case FaultKind.RATE_LIMITED:
            raise HTTPException(429, "fault on request", {"Retry-After": f"{fault.seconds:.0f}"})
        case FaultKind.TIMEOUT:
            # Not longer than the caller waits: what arrives after the (empty) body is the disconnection.
            await request.body()
            with suppress(TimeoutError):
                await asyncio.wait_for(request.receive(), fault.seconds)


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
