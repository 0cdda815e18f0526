"""The GET of `json_over_http`, many at once in one event loop: a call costs a quarter of the processor's time."""

import ssl
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import requests

from lapsewatch.clients.errors import BadAnswer, RemoteFault, Unreachable
from lapsewatch.clients.json_over_http import HttpAnswer, retry_after_seconds, text_of
from lapsewatch.core.evidence import NoEvidenceReason


class HttpSession:
    """Connections for so many calls in flight, open while it is entered: by one event loop at a time.

    What the environment says of proxies and of whom to trust holds as it does for `requests`.
    """

    def __init__(self, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_in_flight),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_once,),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        max_bytes: int,
        params: Mapping[str, str],
    ) -> HttpAnswer:
        """GET `url`; return whatever it answers, with any status code. Raises ClientError where none arrives whole.

        `timeout` is in seconds: to connect, and to wait for a piece of the answer; all of it takes no longer than both
        together. No redirect is followed: it would hand a key, or the question, to another host.
        """
        if self._session is None:
            raise RuntimeError("the session is not open")
        connecting, answering = timeout
        try:
            async with self._session.get(
                url,
                params=params,
                headers=headers,
                timeout=aiohttp.ClientTimeout(connecting + answering, connect=connecting, sock_read=answering),
                allow_redirects=False,
                proxy=self._proxy(url),
                ssl=self._trusted if url.startswith("https:") else True,
            ) as answer:
                text = text_of(await _read(answer, max_bytes))
        except TimeoutError:
            raise Unreachable(NoEvidenceReason.TIMEOUT, "no answer in time") from None
        except aiohttp.ClientPayloadError:
            raise RemoteFault(NoEvidenceReason.NOT_JSON, "the answer arrived damaged or was cut off") from None
        except aiohttp.ClientError as error:
            raise Unreachable(NoEvidenceReason.UNREACHABLE, f"no connection ({type(error).__name__})") from None
        return HttpAnswer(answer.status, text, retry_after_seconds(answer.headers))

    def _proxy(self, url: str) -> str | None:
        if url not in self._proxies:
            settings = requests.Session().merge_environment_settings(url, {}, None, None, None)
            self._proxies[url] = requests.utils.select_proxy(url, settings["proxies"])
        return self._proxies[url]

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        trusted = requests.Session().merge_environment_settings("https://", {}, None, None, None)["verify"]
        place = Path(trusted if isinstance(trusted, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH)
        if place.is_dir():
            return ssl.create_default_context(capath=place)
        return ssl.create_default_context(cafile=place)


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking by itself again when a connection breaks: each call is counted, and may be paid for."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Unreachable(NoEvidenceReason.UNREACHABLE, f"no connection ({type(error).__name__})") from None


async def _read(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Return the body. Raises BadAnswer where it is too large; what is left of it is not waited for."""
    body = b""
    while piece := await answer.content.readany():
        body += piece
        if len(body) > max_bytes:
            raise BadAnswer(NoEvidenceReason.TOO_LARGE, f"the answer is larger than {max_bytes} bytes")
    return body
