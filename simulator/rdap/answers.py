"""RFC 9083's error object, and RDAP answers that say something else than they should."""

from http.client import responses
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.faults import FaultKind
from simulator.rdap.domain_object import CONFORMANCE, MEDIA_TYPE


def error_object(status: int, description: str) -> dict[str, Any]:
    """Why there is no other answer."""
    return {
        "rdapConformance": CONFORMANCE,
        "errorCode": status,
        "title": responses.get(status, "Error"),
        "description": [description],
    }


async def refusal(_request: Request, reason: Exception) -> Response:
    """The answer to an HTTPException (Starlette's exception handlers have this signature)."""
    if not isinstance(reason, HTTPException):
        raise reason
    content = error_object(reason.status_code, reason.detail)
    return JSONResponse(content, reason.status_code, reason.headers, MEDIA_TYPE)


def misread(record: dict[str, Any], fault: FaultKind) -> dict[str, Any]:
    """What the answer says instead of a domain's record."""
    match fault:
        case FaultKind.NO_STATUS:
            return {name: value for name, value in record.items() if name != "status"}
        case FaultKind.OTHER_DOMAIN:
            return record | {"ldhName": f"not-{record['ldhName']}"}
        case FaultKind.UNKNOWN_FLAG:
            return record | {"status": ["quarantined"]}
        case FaultKind.WRONG_OBJECT:
            return {"rdapConformance": CONFORMANCE, **record["entities"][0]}
        case FaultKind.ERROR_WITH_200:
            return error_object(404, "not found")
    return record
