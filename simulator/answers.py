"""The HTTP answers the simulator gives beside plain JSON: refusals, and a body that breaks off."""

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
