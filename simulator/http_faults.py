"""How a fault shows in an HTTP answer, whatever the service."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from simulator.answers import BrokenOff, Dripping
from simulator.faults import FaultKind, FaultRule


async def before_answering(request: Request, fault: FaultRule) -> None:
    """Lets time pass, or refuses to answer at all (HTTPException)."""
    match fault.kind:
        case FaultKind.SERVER_ERROR | FaultKind.REFUSED if fault.status is not None:
            raise HTTPException(fault.status, f"fault on request: {fault.kind}")
        case FaultKind.RATE_LIMITED:
            raise HTTPException(429, "fault on request", {"Retry-After": f"{fault.seconds:.0f}"})
        case FaultKind.NOT_FOUND:
            raise HTTPException(404, "not found")
        case FaultKind.TIMEOUT:
            # Not longer than the caller waits: what arrives after the (empty) body is the disconnection.
            await request.body()
            with suppress(TimeoutError):
                await asyncio.wait_for(request.receive(), fault.seconds)


def garbled(content: dict[str, Any], fault: FaultKind, media_type: str = "application/json") -> Response:
    """The answer as the fault leaves it; whole, where the fault lies elsewhere."""
    match fault:
        case FaultKind.NOT_JSON:
            return HTMLResponse("<html><body><h1>Please try again</h1></body></html>")
        case FaultKind.TRUNCATED:
            return BrokenOff(content, media_type=media_type)
        case FaultKind.OVERSIZED:
            return Response(json.dumps(content) + " " * 1_000_000, media_type=media_type)
        case FaultKind.DRIPPING:
            return Dripping(content, media_type=media_type)
        case FaultKind.NESTED:
            return Response("[" * 50_000, media_type=media_type)
        case FaultKind.MISLABELLED:
            return JSONResponse(content, media_type=f"{media_type}; charset=utf-7")
    return JSONResponse(content, media_type=media_type)
