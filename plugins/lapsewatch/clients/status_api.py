"""What Fastly's and Domainr's status APIs have in common: the question, the refusals and the flags."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Protocol

import requests
import urllib3

from lapsewatch.clients.errors import BadAnswer, ClientError, RateLimited, Refused, RemoteFault, Unreachable
from lapsewatch.core.evidence import Evidence, NoEvidenceReason, read_flags

TIMEOUT = (5.0, 35.0)
"""Seconds to connect and to wait for an answer: the API itself waits up to 30 s for a registry."""

MAX_BODY_BYTES = 65_536
MAX_RAW_LENGTH = 2_000


class StatusClient(Protocol):
    """A status API. `name` is what is recorded as the provider of the evidence."""

    name: str

    def status(self, domain: str) -> Evidence:
        """Ask for one registrable domain (lower-case A-labels). Raises ClientError where there is no evidence."""


def get_json(
    session: requests.Session, url: str, *, params: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[Any, str]:
    """GET a JSON document; return it parsed and as text, shortened. Raises ClientError for anything else.

    What arrives is data from outside: it is read up to a size and a time, and whatever it is, it is no more than
    an answer without evidence.
    """
    try:
        # A redirect would hand the key to another host.
        with session.get(
            url, params=params, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            text = _read(answer)
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise Unreachable(NoEvidenceReason.TIMEOUT, "no answer in time") from None
    except (requests.exceptions.ContentDecodingError, urllib3.exceptions.HTTPError):
        raise RemoteFault(NoEvidenceReason.NOT_JSON, "the answer arrived damaged or was cut off") from None
    except requests.RequestException as error:
        raise Unreachable(NoEvidenceReason.UNREACHABLE, f"no connection ({type(error).__name__})") from None
    raw = text[:MAX_RAW_LENGTH].replace("\x00", "")
    if answer.status_code != requests.codes.ok:
        raise _refusal(answer, raw)
    try:
        return json.loads(text), raw
    except (ValueError, RecursionError):
        raise RemoteFault(NoEvidenceReason.NOT_JSON, "the answer is not JSON", raw=raw) from None


def _read(answer: requests.Response) -> str:
    """Return the body as text. Raises BadAnswer where it is too large, Unreachable where it drips too slowly."""
    latest = time.monotonic() + TIMEOUT[1]
    body = b""
    # One piece as it arrives, so that neither a huge body nor a dripping one is waited for to its end.
    while piece := answer.raw.read1(MAX_BODY_BYTES, decode_content=True):
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise BadAnswer(NoEvidenceReason.TOO_LARGE, f"the answer is larger than {MAX_BODY_BYTES} bytes")
        if time.monotonic() > latest:
            raise Unreachable(NoEvidenceReason.TIMEOUT, "the answer did not end in time")
    # JSON between systems is UTF-8 (RFC 8259, section 8.1), whatever the header says.
    return body.decode("utf-8", errors="replace")


def read_status(entry: object, domain: str, raw: str) -> Evidence:
    """Read the object that describes one domain. Raises BadAnswer unless it names the domain and known flags."""
    if not isinstance(entry, dict) or not isinstance(entry.get("status"), str):
        raise BadAnswer(NoEvidenceReason.NO_STATUS, "the answer has no status", raw=raw)
    if entry.get("domain") != domain:
        raise BadAnswer(NoEvidenceReason.OTHER_DOMAIN, "the answer names another domain", raw=raw)
    if not entry["status"].strip():
        raise BadAnswer(NoEvidenceReason.NO_STATUS, "the answer has an empty status", raw=raw)
    flags = read_flags(entry["status"])
    if flags is None:
        raise BadAnswer(NoEvidenceReason.UNKNOWN_FLAG, "the answer has a flag nobody documented", raw=raw)
    return Evidence(flags, raw)


def _refusal(answer: requests.Response, raw: str) -> ClientError:
    code = answer.status_code
    message = f"HTTP {code}"
    if code == requests.codes.too_many_requests:
        retry_after = _seconds(answer.headers.get("Retry-After"))
        return RateLimited(NoEvidenceReason.RATE_LIMITED, message, retry_after=retry_after, raw=raw)
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return Refused(NoEvidenceReason.REFUSED, message, raw=raw)
    if code >= requests.codes.internal_server_error:
        retry_after = _seconds(answer.headers.get("Retry-After"))
        return RemoteFault(NoEvidenceReason.SERVER_ERROR, message, retry_after=retry_after, raw=raw)
    return BadAnswer(NoEvidenceReason.BAD_REQUEST, message, raw=raw)


def _seconds(retry_after: str | None) -> float | None:
    # RFC 9110 also allows a date; neither service documents one, and a pause of our own choice serves as well.
    return float(retry_after) if retry_after and re.fullmatch(r"\d{1,6}", retry_after) else None
