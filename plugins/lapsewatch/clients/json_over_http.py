"""One GET of a JSON document from a service outside: bounded in size and time, and typed errors for all the rest."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from lapsewatch.clients.errors import BadAnswer, RemoteFault, Unreachable
from lapsewatch.core.evidence import NoEvidenceReason

MAX_RAW_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What arrived: the status code, the body as text, and the pause in seconds that the service asked for, if any."""

    code: int
    text: str
    retry_after: float | None

    @property
    def raw(self) -> str:
        """The body as it may be kept: shortened, and without what PostgreSQL can't hold."""
        return self.text[:MAX_RAW_LENGTH].replace("\x00", "")

    def json(self) -> Any:
        """Return the body parsed. Raises RemoteFault where it is not JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise RemoteFault(NoEvidenceReason.NOT_JSON, "the answer is not JSON", raw=self.raw) from None


def get(
    session: requests.Session,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout: tuple[float, float],
    max_bytes: int,
    params: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """GET `url`; return whatever it answers, with any status code. Raises ClientError where no whole answer arrives.

    `timeout` is in seconds: to connect, and both to wait for the answer and to read it to its end. No redirect is
    followed: it would hand a key, or the question, to another host.
    """
    try:
        with session.get(
            url,
            params=params,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            hooks={"response": forget_redirect},
        ) as answer:
            text = text_of(_read(answer, timeout[1], max_bytes))
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise Unreachable(NoEvidenceReason.TIMEOUT, "no answer in time") from None
    except (requests.exceptions.ContentDecodingError, urllib3.exceptions.HTTPError):
        raise RemoteFault(NoEvidenceReason.NOT_JSON, "the answer arrived damaged or was cut off") from None
    except requests.RequestException as error:
        raise Unreachable(NoEvidenceReason.UNREACHABLE, f"no connection ({type(error).__name__})") from None
    return HttpAnswer(answer.status_code, text, retry_after_seconds(answer.headers))


def text_of(body: bytes) -> str:
    """Return a body as text: JSON between systems is UTF-8 (RFC 8259, section 8.1), whatever the header says."""
    return body.decode("utf-8", errors="replace")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, as seconds or as a date (RFC 9110, section 10.2.3); None where there is none to read.

    A date counts from the answer's own Date, so that it does not matter whose clock is right.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    resumes_at = _http_date(value)
    if resumes_at is None:
        return None
    answered_at = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (resumes_at - answered_at).total_seconds())


def forget_redirect(answer: requests.Response, **_: object) -> None:
    """Keep requests from reading a redirect to its end, however long, only to know where it would lead."""
    answer.headers.pop("Location", None)


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _read(answer: requests.Response, seconds: float, max_bytes: int) -> bytes:
    """Return the body. Raises BadAnswer where it is too large, Unreachable where it drips too slowly."""
    latest = time.monotonic() + seconds
    body = b""
    # One piece as it arrives, so that neither a huge body nor a dripping one is waited for to its end.
    while piece := answer.raw.read1(max_bytes, decode_content=True):
        body += piece
        if len(body) > max_bytes:
            raise BadAnswer(NoEvidenceReason.TOO_LARGE, f"the answer is larger than {max_bytes} bytes")
        if time.monotonic() > latest:
            raise Unreachable(NoEvidenceReason.TIMEOUT, "the answer did not end in time")
    return body
