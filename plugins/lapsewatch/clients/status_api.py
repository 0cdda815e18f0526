"""What Fastly's and Domainr's status APIs have in common: the question, the refusals and the flags."""

from collections.abc import Mapping
from typing import Any, Protocol

import requests

from lapsewatch.clients.errors import BadAnswer, ClientError, RateLimited, Refused, RemoteFault
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.json_over_http import HttpAnswer
from lapsewatch.core.evidence import Evidence, NoEvidenceReason, read_flags

TIMEOUT = (5.0, 35.0)
"""Seconds to connect and to receive a whole answer: the API itself waits up to 30 s for a registry."""

MAX_BODY_BYTES = 65_536


class StatusClient(Protocol):
    """A status API. `name` is what is recorded as the provider of the evidence.

    It can be asked while its `session` is entered.
    """

    name: str
    session: HttpSession

    async def status(self, domain: str) -> Evidence:
        """Ask for one registrable domain (lower-case A-labels). Raises ClientError where there is no evidence."""


async def get_json(
    session: HttpSession, url: str, *, params: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[Any, str]:
    """GET a JSON document; return it parsed and as text, shortened. Raises ClientError for anything else."""
    answer = await session.get(url, params=params, headers=headers, timeout=TIMEOUT, max_bytes=MAX_BODY_BYTES)
    if answer.code != requests.codes.ok:
        raise _refusal(answer)
    return answer.json(), answer.raw


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


def _refusal(answer: HttpAnswer) -> ClientError:
    code, retry_after, raw = answer.code, answer.retry_after, answer.raw
    message = f"HTTP {code}"
    if code == requests.codes.too_many_requests:
        return RateLimited(NoEvidenceReason.RATE_LIMITED, message, retry_after=retry_after, raw=raw)
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return Refused(NoEvidenceReason.REFUSED, message, raw=raw)
    if code >= requests.codes.internal_server_error:
        return RemoteFault(NoEvidenceReason.SERVER_ERROR, message, retry_after=retry_after, raw=raw)
    return BadAnswer(NoEvidenceReason.BAD_REQUEST, message, raw=raw)
