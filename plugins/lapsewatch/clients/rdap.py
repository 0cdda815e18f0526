"""The registry's own record of a domain, over RDAP (RFC 7480, RFC 9082, RFC 9083)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from lapsewatch.clients import json_over_http
from lapsewatch.clients.errors import BadAnswer, ClientError, RateLimited, Refused, RemoteFault
from lapsewatch.clients.json_over_http import HttpAnswer
from lapsewatch.clients.rdap_bootstrap import Bootstrap
from lapsewatch.clients.rfc3339 import read_instant
from lapsewatch.clients.turns import Turns
from lapsewatch.core.domains import a_labels
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading, rdap_status

TIMEOUT = (5.0, 15.0)
"""Seconds to connect and to wait for an answer."""

MAX_BODY_BYTES = 262_144
HEADERS = {"Accept": "application/rdap+json, application/json"}
REFUSALS = {requests.codes.unauthorized, requests.codes.forbidden, requests.codes.unprocessable_entity}
"""How registries refuse besides 429: each of these was seen, and none says anything about the domain."""

PAUSE_AFTER_REFUSAL = 60.0
MAX_PAUSE = 86_400.0
"""Seconds. Whatever a server asks for, it is tried again a day later."""

MAX_ITEMS = 64
MAX_ITEM_LENGTH = 255


class RdapClient:
    """Asks the registry's server, and only that: the registrar's record (a `related` link) is not followed.

    The phase of a registration is the registry's to say; a registrar's record may lack `redemption period`.
    """

    name = "rdap"

    def __init__(self, session: requests.Session, bootstrap: Bootstrap, turns: Turns) -> None:
        self._session = session
        self._bootstrap = bootstrap
        self._turns = turns

    def record(self, domain: str) -> RdapReading:
        """Ask for one registrable domain, in turn, as A-labels. Raises ClientError where there is no evidence.

        A server that refuses, or says when to come back, is paused for everybody.
        """
        name = a_labels(domain)
        if name is None:
            raise BadAnswer(NoEvidenceReason.BAD_REQUEST, "not a domain name")
        base_url = self._bootstrap.server_for(name)
        if base_url is None:
            raise BadAnswer(NoEvidenceReason.NO_SERVER, "no RDAP server is known for the top-level domain")
        host = urlsplit(base_url).netloc
        url = f"{base_url}domain/{name}"
        with self._turns.turn(host):
            answer = json_over_http.get(self._session, url, headers=HEADERS, timeout=TIMEOUT, max_bytes=MAX_BODY_BYTES)
        if answer.code == requests.codes.ok:
            return read_record(answer.json(), name, answer.raw)
        if answer.code == requests.codes.not_found:
            return _read_absence(answer)
        error = _refusal(answer)
        seconds = error.retry_after
        if isinstance(error, RateLimited | Refused):
            seconds = seconds or PAUSE_AFTER_REFUSAL
        if seconds:
            self._turns.pause(host, min(seconds, MAX_PAUSE))
        raise error


def read_rdap(client: RdapClient, domain: str) -> RdapReading:
    """Ask, and turn every way in which there is no evidence into a reading that says so."""
    try:
        return client.record(domain)
    except ClientError as error:
        return RdapReading(RdapOutcome.NO_EVIDENCE, reason=error.reason)


def read_record(body: object, domain: str, raw: str) -> RdapReading:
    """Read a domain object (RFC 9083, section 5.3). Raises BadAnswer unless it is one, and of this domain.

    What it says besides is read as far as it makes sense; what does not is left out.
    """
    if not isinstance(body, dict) or body.get("objectClassName") != "domain":
        raise BadAnswer(NoEvidenceReason.WRONG_OBJECT, "the answer is no domain object", raw=raw)
    if not _is_named(body, domain):
        raise BadAnswer(NoEvidenceReason.OTHER_DOMAIN, "the answer names another domain", raw=raw)
    return RdapReading(
        RdapOutcome.FOUND,
        status=_distinct(map(rdap_status, _texts(body.get("status")))),
        registered_at=_latest(body, {"registration", "reregistration"}),
        expires_at=_latest(body, {"expiration"}),
        changed_at=_latest(body, {"last changed"}),
        registrar=_registrar(body),
        nameservers=_distinct(_name(text) for text in _texts(_fields(body.get("nameservers"), "ldhName"))),
    )


def _read_absence(answer: HttpAnswer) -> RdapReading:
    """Read a 404: the server has no such domain (RFC 7480, section 5.3).

    Its body is empty or RDAP's JSON. A web page instead comes from something that is no RDAP server, such as what is
    left behind where a registry has moved its own: that would make every domain of the registry look released.
    """
    if answer.text.strip() and not isinstance(answer.json(), dict):
        raise BadAnswer(NoEvidenceReason.WRONG_OBJECT, "HTTP 404, but not of RDAP", raw=answer.raw)
    return RdapReading(RdapOutcome.NOT_FOUND)


def _refusal(answer: HttpAnswer) -> ClientError:
    code, retry_after, raw = answer.code, answer.retry_after, answer.raw
    message = f"HTTP {code}"
    if code == requests.codes.too_many_requests:
        return RateLimited(NoEvidenceReason.RATE_LIMITED, message, retry_after=retry_after, raw=raw)
    if code in REFUSALS:
        return Refused(NoEvidenceReason.REFUSED, message, retry_after=retry_after, raw=raw)
    if code >= requests.codes.internal_server_error:
        return RemoteFault(NoEvidenceReason.SERVER_ERROR, message, retry_after=retry_after, raw=raw)
    return BadAnswer(NoEvidenceReason.BAD_REQUEST, message, raw=raw)


def _is_named(body: dict[str, Any], domain: str) -> bool:
    ldh_name = body.get("ldhName")
    if isinstance(ldh_name, str):
        return _name(ldh_name) == domain
    unicode_name = body.get("unicodeName")
    return ldh_name is None and isinstance(unicode_name, str) and a_labels(unicode_name) == domain


def _name(text: str) -> str:
    return text.strip().removesuffix(".").lower()


def _latest(body: dict[str, Any], actions: set[str]) -> datetime | None:
    instants = [
        instant
        for event in _objects(body.get("events"))
        if isinstance(action := event.get("eventAction"), str) and action.strip().lower() in actions
        if (instant := read_instant(event.get("eventDate")))
    ]
    return max(instants, default=None)


def _registrar(body: dict[str, Any]) -> str | None:
    """Return the registrar's name from its jCard (RFC 7095), else its handle."""
    for entity in _objects(body.get("entities")):
        if "registrar" in (role.lower() for role in _texts(entity.get("roles"))):
            names = [*_texts(_full_names(entity.get("vcardArray"))), *_texts([entity.get("handle")])]
            if names:
                return names[0]
    return None


def _full_names(jcard: object) -> list[object]:
    match jcard:
        case [_, list() as properties]:
            return [field[3] for field in properties if isinstance(field, list) and field[:1] == ["fn"] and field[3:]]
    return []


def _fields(values: object, name: str) -> list[object]:
    return [value.get(name) for value in _objects(values)]


def _objects(values: object) -> Iterator[dict[str, Any]]:
    return (value for value in (values if isinstance(values, list) else []) if isinstance(value, dict))


def _texts(values: object) -> Iterator[str]:
    """Yield the texts among the values that a database can keep, and no more of them than any true answer has."""
    texts = [value.strip() for value in (values if isinstance(values, list) else []) if isinstance(value, str)]
    return (text for text in texts[:MAX_ITEMS] if len(text) <= MAX_ITEM_LENGTH and text.isprintable() and text)


def _distinct(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
