"""Which RDAP server answers for a domain: IANA's bootstrap file for domain names (RFC 9224), and what it lacks."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from lapsewatch.clients import json_over_http
from lapsewatch.clients.errors import BadAnswer, ClientError
from lapsewatch.clients.rfc3339 import read_instant
from lapsewatch.core.domains import a_labels
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import NoEvidenceReason

IANA_URL = "https://data.iana.org/rdap/dns.json"
PACKAGED_FOLDER = Path(__file__).parents[3] / "include" / "rdap"
MAX_AGE = timedelta(days=7)
"""How old a kept copy may get before the file is fetched again; IANA publishes it every few days."""

TIMEOUT = (5.0, 15.0)
MAX_BODY_BYTES = 1_048_576

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Publication:
    """A bootstrap file as read: the base URL for each top-level domain or longer suffix, and when it was published."""

    servers: Mapping[str, str]
    published_at: datetime | None

    def document(self) -> dict[str, Any]:
        """Return it in RFC 9224's format, without what could not be read."""
        published = {"publication": self.published_at.isoformat()} if self.published_at else {}
        return {"version": "1.0", **published, "services": [[[key], [url]] for key, url in self.servers.items()]}


class BootstrapStore(Protocol):
    """Keeps the last copy of a bootstrap file for whoever asks next."""

    def load(self, url: str) -> tuple[Any, datetime] | None:
        """Return the document last saved for this source, and when; None where there is none."""

    def save(self, url: str, document: object, publication: datetime | None) -> None:
        """Keep the document as fetched now."""


class Bootstrap:
    """Says which server to ask about a domain.

    What the configuration says wins over what is published, and what is published over what is known besides.
    """

    def __init__(
        self,
        published: Mapping[str, str],
        *,
        configured: Mapping[str, str] | None = None,
        unlisted: Mapping[str, str] | None = None,
    ) -> None:
        self._layers = (configured or {}, published, unlisted or {})

    def server_for(self, domain: str) -> str | None:
        """Return the base URL, with a slash at its end, of the server for the domain; None where there is none.

        What is no host name has no server either, so that nothing else ever becomes part of a question's URL.

        The longest entry that matches by whole labels counts (RFC 9224, section 4).
        """
        labels = (a_labels(domain) or "").split(".")
        suffixes = [".".join(labels[start:]) for start in range(len(labels))]
        return next((layer[suffix] for layer in self._layers for suffix in suffixes if suffix in layer), None)


def open_bootstrap(
    session: requests.Session,
    *,
    url: str = IANA_URL,
    store: BootstrapStore | None = None,
    configured: Mapping[str, str] | None = None,
) -> Bootstrap:
    """Open the bootstrap file: the kept copy while it is fresh, else fetched anew, else the kept copy however old.

    IANA's own file has two things packaged with it: a copy for when nothing else is to be had, and the servers that
    it is known to lack. A file at another URL is the whole world of those who use it (as the simulator's is): nothing
    is added to it, and where neither the file nor a kept copy can be had, ClientError is raised.

    `configured` maps suffixes to base URLs. Raises SetupError where it does not.
    """
    servers = _configured(configured or {})
    is_iana = url == IANA_URL
    publication = _fresh_copy(url, store) or _fetched(session, url, store, packaged=is_iana)
    return Bootstrap(
        publication.servers, configured=servers, unlisted=_packaged("unlisted.json").servers if is_iana else None
    )


def read_publication(document: object) -> Publication:
    """Read a bootstrap file (RFC 9224, section 3). Raises BadAnswer where it holds no service that can be used.

    Of a service's URLs the first with https is taken, else the first; a service that makes no sense is passed over.
    """
    read = document if isinstance(document, dict) else {}
    servers: dict[str, str] = {}
    for suffixes, url in _services(read.get("services")):
        for suffix in suffixes:
            servers.setdefault(suffix, url)
    if not servers:
        raise BadAnswer(NoEvidenceReason.WRONG_OBJECT, "the document is no RDAP bootstrap file (RFC 9224)")
    return Publication(servers, read_instant(read.get("publication")))


def _services(services: object) -> Iterator[tuple[list[str], str]]:
    for service in services if isinstance(services, list) else []:
        match service:
            case [list() as keys, list() as urls]:
                suffixes = [suffix for key in keys if isinstance(key, str) and (suffix := a_labels(key))]
                bases = sorted(filter(None, map(_base_url, urls)), key=lambda base: not base.startswith("https:"))
                if suffixes and bases:
                    yield suffixes, bases[0]


def _base_url(url: object) -> str | None:
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
        _ = parts.port
    except ValueError:
        return None
    return url.rstrip("/") + "/" if usable else None


def _configured(servers: Mapping[str, str]) -> dict[str, str]:
    read = {a_labels(suffix): _base_url(url) for suffix, url in servers.items()}
    if None in read or None in read.values():
        raise SetupError("the configured RDAP servers are not usable: each is a top-level domain and a base URL")
    return {suffix: url for suffix, url in read.items() if suffix and url}


def _fresh_copy(url: str, store: BootstrapStore | None) -> Publication | None:
    kept = store.load(url) if store else None
    if kept is None or datetime.now(UTC) - kept[1] > MAX_AGE:
        return None
    try:
        return _said(read_publication(kept[0]), f"kept since {kept[1]:%Y-%m-%d %H:%M} UTC")
    except BadAnswer:
        return None


def _fetched(session: requests.Session, url: str, store: BootstrapStore | None, *, packaged: bool) -> Publication:
    try:
        publication = _said(_fetch(session, url), "fetched now")
    except ClientError as error:
        log.warning("the RDAP bootstrap file could not be fetched: %s", error)
        return _fallback(url, store, packaged, error)
    if store:
        store.save(url, publication.document(), publication.published_at)
    return publication


def _fetch(session: requests.Session, url: str) -> Publication:
    answer = json_over_http.get(
        session, url, headers={"Accept": "application/json"}, timeout=TIMEOUT, max_bytes=MAX_BODY_BYTES
    )
    if answer.code != requests.codes.ok:
        raise BadAnswer(NoEvidenceReason.BAD_REQUEST, f"HTTP {answer.code}")
    return read_publication(answer.json())


def _fallback(url: str, store: BootstrapStore | None, packaged: bool, error: ClientError) -> Publication:
    kept = store.load(url) if store else None
    if kept is not None:
        days = (datetime.now(UTC) - kept[1]).days
        try:
            return _said(read_publication(kept[0]), f"kept for {days} days")
        except BadAnswer:
            log.warning("the copy of the RDAP bootstrap file that was kept is not usable")
    if packaged:
        return _said(_packaged("dns.json"), "the packaged copy")
    raise error


@cache
def _packaged(name: str) -> Publication:
    return read_publication(json.loads((PACKAGED_FOLDER / name).read_text()))


def _said(publication: Publication, origin: str) -> Publication:
    published = f"{publication.published_at:%Y-%m-%d}" if publication.published_at else "at a date it does not say"
    log.info("RDAP bootstrap file: %s, published %s, %d suffixes", origin, published, len(publication.servers))
    return publication
