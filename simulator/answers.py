"""The HTTP answers the simulator gives beside plain JSON: refusals, and bodies that break off or drip."""

import asyncio
from http.client import responses

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send


def errors(status: int, *details: str) -> JSONResponse:
    """Trouble, in the shape both status APIs give it: a list of errors."""
    title = responses.get(status, "Error")
    return JSONResponse(
        {"errors": [{"status": status, "title": title, "detail": detail} for detail in details]}, status
    )


async def refusal(_request: Request, reason: Exception) -> Response:
    """The answer to an HTTPException (Starlette's exception handlers have this signature)."""
    if not isinstance(reason, HTTPException):
        raise reason
    response = errors(reason.status_code, reason.detail)
    response.headers.update(reason.headers or {})
    return response


class BrokenOff(JSONResponse):
    """Announces its whole body and sends half of it; the server then has to cut the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starts the answer and never ends it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class Dripping(JSONResponse):
    """Sends its body a byte at a time, with a pause after each."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as slowly as that."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for byte in bytes(self.body):
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await asyncio.sleep(0.02)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
