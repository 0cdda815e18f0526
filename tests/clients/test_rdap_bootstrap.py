import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.clients.errors import BadAnswer, ClientError, Unreachable
from lapsewatch.clients.rdap_bootstrap import (
    IANA_URL,
    MAX_AGE,
    PACKAGED_FOLDER,
    Bootstrap,
    open_bootstrap,
    read_publication,
)
from lapsewatch.core.errors import SetupError
from lapsewatch.core.evidence import NoEvidenceReason

from tests.clients.conftest import Scripted

DOCUMENT = {
    "version": "1.0",
    "publication": "2026-10-01T12:00:00Z",
    "services": [
        [["com", "NET."], ["http://rdap.example.net/", "https://rdap.example.net/com"]],
        [["uk"], ["https://uk.example.net/"]],
        [["org.uk"], ["https://org-uk.example.net/"]],
        [["münchen"], ["http://insecure.example.net"]],
    ],
}


class Store:
    """Keeps one copy in memory, with the age that a test gives it."""

    def __init__(self, document: object = None, age: timedelta = timedelta(0)) -> None:
        self.kept = (document, datetime.now(UTC) - age) if document else None
        self.saved: list[Any] = []

    def load(self, url: str) -> tuple[Any, datetime] | None:
        return self.kept

    def save(self, url: str, document: object, publication: datetime | None) -> None:
        self.saved.append((url, document, publication))


class Nowhere(requests.Session):
    """A session without a network."""

    def get(self, *_: Any, **__: Any) -> requests.Response:
        raise requests.ConnectionError


@pytest.mark.parametrize(
    ("domain", "server"),
    [
        ("example.com", "https://rdap.example.net/com/"),
        ("EXAMPLE.Net", "https://rdap.example.net/com/"),
        ("example.com.", "https://rdap.example.net/com/"),
        ("example.co.uk", "https://uk.example.net/"),
        ("example.org.uk", "https://org-uk.example.net/"),
        ("www.example.org.uk", "https://org-uk.example.net/"),
        ("notorg.uk", "https://uk.example.net/"),
        ("example.xn--mnchen-3ya", "http://insecure.example.net/"),
        ("example.münchen", "http://insecure.example.net/"),
        ("example.telecom", None),
        ("com.example", None),
        ("", None),
        ("not a domain", None),
    ],
)
def test_the_longest_entry_that_matches_by_whole_labels_counts(domain: str, server: str | None) -> None:
    assert Bootstrap(read_publication(DOCUMENT).servers).server_for(domain) == server


def test_what_is_configured_wins_and_what_is_unlisted_comes_last() -> None:
    bootstrap = Bootstrap(
        {"com": "published", "org.uk": "published"},
        configured={"uk": "configured", "com": "configured"},
        unlisted={"com": "unlisted", "io": "unlisted"},
    )
    servers = [bootstrap.server_for(f"example.{suffix}") for suffix in ("com", "org.uk", "io", "net")]
    assert servers == ["configured", "configured", "unlisted", None]


@pytest.mark.parametrize(
    "document",
    [
        None, [], "services", 5, {}, {"services": None}, {"services": {}}, {"services": []},
        {"services": [["com", "https://rdap.example.net/"], [], None, [[], []], [["com"], []], [[5], ["https://a/"]]]},
        {"services": [[["com"], ["ftp://rdap.example.net/"]], [["net"], ["//rdap.example.net"]]]},
        {"services": [[["com"], ["https://rdap.example.net:port/", "https://", "https://[", "https://ä.example/"]]]},
        {"services": [[["com"], ["https://rdap.example.net/?a=1"]], [["a b"], ["https://rdap.example.net/"]]]},
    ],
)  # fmt: skip
def test_what_is_no_bootstrap_file_is_rejected(document: object) -> None:
    with pytest.raises(BadAnswer) as raised:
        read_publication(document)
    assert raised.value.reason is NoEvidenceReason.WRONG_OBJECT


def test_a_service_that_makes_no_sense_is_passed_over() -> None:
    publication = read_publication({"services": [None, [["com"]], *DOCUMENT["services"]], "publication": "yesterday"})
    assert len(publication.servers) == 5
    assert publication.published_at is None


def test_what_is_kept_says_the_same_as_what_was_read() -> None:
    publication = read_publication(DOCUMENT)
    assert read_publication(json.loads(json.dumps(publication.document()))) == publication


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=12) | st.sampled_from(["com", "https://rdap.example.net/"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["services", "a"]), inner),
    )
)
def test_whatever_arrives_is_read_or_rejected(document: object) -> None:
    try:
        publication = read_publication({"services": document, "publication": document})
    except BadAnswer:
        return
    assert set(publication.servers.values()) == {"https://rdap.example.net/"}


def test_the_file_is_fetched_and_kept(session: requests.Session, scripted: Scripted) -> None:
    scripted.body = json.dumps(DOCUMENT).encode()
    store = Store()
    bootstrap = open_bootstrap(session, url=scripted.url, store=store)
    assert bootstrap.server_for("example.com") == "https://rdap.example.net/com/"
    [(url, document, publication)] = store.saved
    assert url == scripted.url
    assert read_publication(document) == read_publication(DOCUMENT)
    assert publication == datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_a_fresh_copy_is_not_fetched_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        bootstrap = open_bootstrap(
            Nowhere(), url="https://mirror/", store=Store(DOCUMENT, MAX_AGE - timedelta(hours=1))
        )
    assert bootstrap.server_for("example.com")
    assert "published 2026-10-01" in caplog.text


def test_an_old_copy_is_fetched_again(session: requests.Session, scripted: Scripted) -> None:
    scripted.body = json.dumps(DOCUMENT | {"services": [[["com"], ["https://new.example.net/"]]]}).encode()
    store = Store(DOCUMENT, MAX_AGE + timedelta(hours=1))
    assert open_bootstrap(session, url=scripted.url, store=store).server_for("a.com") == "https://new.example.net/"
    assert len(store.saved) == 1


def test_an_old_copy_serves_where_nothing_can_be_fetched(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(DOCUMENT, timedelta(days=400))
    with caplog.at_level(logging.INFO):
        bootstrap = open_bootstrap(Nowhere(), url=IANA_URL, store=store)
    assert bootstrap.server_for("example.com") == "https://rdap.example.net/com/"
    assert bootstrap.server_for("example.org") is None
    assert "could not be fetched" in caplog.text
    assert "kept for 400 days, published 2026-10-01" in caplog.text
    assert store.saved == []


@pytest.mark.parametrize("store", [None, Store(), Store({"services": "damaged"}), Store([], timedelta(days=400))])
def test_the_packaged_copy_of_ianas_file_is_the_last_resort(store: Store | None) -> None:
    bootstrap = open_bootstrap(Nowhere(), url=IANA_URL, store=store)
    assert bootstrap.server_for("example.com") == "https://rdap.verisign.com/com/v1/"
    assert bootstrap.server_for("example.io") == "https://rdap.identitydigital.services/rdap/"


@pytest.mark.parametrize(
    ("code", "body"), [(200, b"<html>"), (200, b"{}"), (404, b""), (500, b"{}"), (302, b""), (200, b" " * 2_000_000)]
)
def test_a_source_of_ones_own_has_nothing_packaged(
    session: requests.Session, scripted: Scripted, code: int, body: bytes
) -> None:
    scripted.code, scripted.body = code, body
    with pytest.raises(ClientError):
        open_bootstrap(session, url=scripted.url)
    with pytest.raises(Unreachable):
        open_bootstrap(Nowhere(), url="https://mirror/")
    scripted.code, scripted.body = 200, json.dumps(DOCUMENT).encode()
    assert open_bootstrap(session, url=scripted.url).server_for("example.io") is None


def test_what_is_configured_is_read_like_the_file(session: requests.Session, scripted: Scripted) -> None:
    scripted.body = json.dumps(DOCUMENT).encode()
    bootstrap = open_bootstrap(session, url=scripted.url, configured={"IO": "http://rdap.example.net/io"})
    assert bootstrap.server_for("example.io") == "http://rdap.example.net/io/"


@pytest.mark.parametrize("configured", [{"io": "rdap.example.net"}, {"": "https://a.example/"}, {"io": ["https://a/"]}])
def test_what_is_configured_wrongly_is_said_at_once(configured: dict[str, Any]) -> None:
    with pytest.raises(SetupError, match="configured RDAP servers"):
        open_bootstrap(Nowhere(), configured=configured)


def test_the_packaged_copy_covers_what_people_use() -> None:
    document = json.loads((PACKAGED_FOLDER / "dns.json").read_text())
    publication = read_publication(document)
    assert len(publication.servers) == sum(len(service[0]) for service in document["services"]) >= 1200
    common = "com net org info biz dev app xyz ai shop online uk fr nl ca au br cz pl"
    assert set(common.split()) <= set(publication.servers)
    assert publication.published_at is not None
    readme = (PACKAGED_FOLDER / "README.md").read_text()
    assert f"{publication.published_at:%Y-%m-%d}" in readme


def test_what_is_packaged_besides_is_what_iana_lacks() -> None:
    listed = read_publication(json.loads((PACKAGED_FOLDER / "dns.json").read_text())).servers
    unlisted = read_publication(json.loads((PACKAGED_FOLDER / "unlisted.json").read_text())).servers
    assert {"io", "me", "ac", "sh", "co", "us", "de", "ch", "li"} <= set(unlisted)
    assert not set(unlisted) & set(listed)
    assert all(url.startswith("https://") for url in unlisted.values())
