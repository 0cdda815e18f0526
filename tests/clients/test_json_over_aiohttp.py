import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lapsewatch.clients.errors import BadAnswer, ClientError, RemoteFault, Unreachable
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.json_over_http import HttpAnswer
from lapsewatch.core.evidence import NoEvidenceReason

from tests.clients.conftest import Scripted

KEY = {"Fastly-Key": "a-secret"}


def get(*urls: str, max_bytes: int = 100, timeout: tuple[float, float] = (2, 5)) -> list[HttpAnswer]:
    """GET one after the other, in one session."""

    async def in_a_session() -> list[HttpAnswer]:
        async with HttpSession(2) as session:
            return [
                await session.get(url, headers=KEY, timeout=timeout, max_bytes=max_bytes, params={"domain": "a.com"})
                for url in urls
            ]

    return asyncio.run(in_a_session())


@dataclass
class Talker:
    """A server that answers each request with the next of these bytes, whatever they are."""

    url: str
    replies: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture
def talker() -> Iterator[Talker]:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                talking.heard.append(line)
                if len(talking.heard) > len(talking.replies):
                    return
                reply = talking.replies[len(talking.heard) - 1]
                self.wfile.write(reply)
                if b"Connection: close" in reply:
                    return

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        talking = Talker(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield talking
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("code", [200, 301, 404, 500])
def test_every_answer_comes_back_with_its_code_and_no_redirect_is_followed(scripted: Scripted, code: int) -> None:
    scripted.code, scripted.body = code, b'{"a": 1}'
    scripted.headers = {"Location": f"{scripted.url}/elsewhere", "Retry-After": "7"}
    assert get(f"{scripted.url}/here") == [HttpAnswer(code, '{"a": 1}', 7.0)]
    assert scripted.asked == ["/here?domain=a.com"]
    assert scripted.heard[0]["Fastly-Key"] == "a-secret"


def test_a_large_answer_is_read_no_further_than_its_bound(scripted: Scripted) -> None:
    scripted.body = b" " * 1_000_000
    with pytest.raises(BadAnswer) as raised:
        get(scripted.url)
    assert raised.value.reason is NoEvidenceReason.TOO_LARGE


def test_a_small_answer_that_unpacks_to_a_large_one_is_too_large(scripted: Scripted) -> None:
    scripted.body, scripted.headers = gzip.compress(b" " * 200_000_000), {"Content-Encoding": "gzip"}
    with pytest.raises(BadAnswer) as raised:
        get(scripted.url, max_bytes=65_536)
    assert raised.value.reason is NoEvidenceReason.TOO_LARGE


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"", Unreachable),
        (b"What do you want?\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n{}", Unreachable),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n{}", Unreachable),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{}", RemoteFault),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", RemoteFault),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", Unreachable),
    ],
    ids=["nothing", "no HTTP", "headers", "a header", "cut off", "no gzip", "unknown encoding", "no chunk"],
)
def test_what_is_no_whole_answer_is_a_typed_error_that_shows_nothing(
    talker: Talker, reply: bytes, error: type[ClientError]
) -> None:
    talker.replies = [reply]
    with pytest.raises(error) as raised:
        get(talker.url, timeout=(1, 1))
    assert raised.value.is_transient
    for secret in ("a-secret", "a.com", "127.0.0.1", "yyy", "want"):
        assert secret not in f"{raised.value!r} {raised.value.raw}"


def test_a_question_on_a_connection_that_breaks_is_not_asked_again_unseen(talker: Talker) -> None:
    talker.replies = [HELLO]
    with pytest.raises(Unreachable):
        get(talker.url, talker.url)
    assert len(talker.heard) == 2


def test_who_says_nothing_is_waited_for_no_longer_than_for_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        began = monotonic()
        with pytest.raises(Unreachable) as raised:
            get(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=(60, 0.2))
        assert monotonic() - began < 30
    assert raised.value.reason is NoEvidenceReason.TIMEOUT


def test_who_takes_no_connection_is_waited_for_no_longer_than_to_connect() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as stack:
        for _ in range(4):  # the queue is full
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        began = monotonic()
        with pytest.raises(Unreachable) as raised:
            get(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=(0.2, 60))
        assert monotonic() - began < 30
    assert raised.value.reason is NoEvidenceReason.TIMEOUT


def test_a_connection_is_used_again(talker: Talker) -> None:
    talker.replies = [HELLO, HELLO]
    assert [answer.text for answer in get(talker.url, talker.url)] == ["{}", "{}"]


def test_the_proxy_that_the_environment_names_is_used(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", scripted.url)
    get("http://status.example/here")
    assert scripted.asked == ["http://status.example/here?domain=a.com"]


def test_what_the_environment_says_needs_no_proxy_has_none(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert get(scripted.url)[0].code == 200


def test_a_proxy_of_another_kind_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(Unreachable):
        get("http://status.example/here")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, *kept) + made.public_bytes(pem))
    return path


@pytest.fixture
def secure_url(certificate: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Keeps the tests' output clean."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_who_cannot_prove_to_be_the_service_is_told_nothing(secure_url: str) -> None:
    with pytest.raises(Unreachable) as raised:
        get(secure_url)
    assert raised.value.reason is NoEvidenceReason.UNREACHABLE


def test_whom_the_environment_trusts_is_trusted(
    secure_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert get(secure_url)[0].text == "{}"
