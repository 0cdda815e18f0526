"""The webhook's client against a receiver that checks signatures as Standard Webhooks 1.0 says, on its own."""

import base64
import hashlib
import hmac
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import requests
from lapsewatch.clients import webhook
from lapsewatch.clients.webhook import NotDelivered, Webhook, signing_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tenacity import Retrying

from local.checkout import ROOT
from simulator.server import serving

KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = '{"type": "domain_expiring", "domain": "zürich.example"}'.encode()


@dataclass
class Receiver:
    """What the receiver answers in turn, the last for good, what it got, and the seconds between that nobody waits."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)


def is_signed(headers: Mapping[str, str], body: bytes) -> bool:
    """The specification's own steps, sharing nothing with the client."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(base64.b64decode(SECRET[6:]), signed, hashlib.sha256).digest()).decode()
    is_recent = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return is_recent and f"v1,{expected}" in headers["webhook-signature"].split(" ")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    script = Receiver()
    monkeypatch.setattr(webhook, "Retrying", partial(Retrying, sleep=script.pauses.append))

    async def receive(request: Request) -> Response:
        body = await request.body()
        script.paths.append(request.url.path)
        script.ids.append(request.headers["webhook-id"])
        script.bodies.append(body)
        if not is_signed(request.headers, body):
            return Response(status_code=401)
        code = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        return Response(status_code=code, headers=script.headers)

    with serving(Starlette(routes=[Route("/{path:path}", receive, methods=["POST"])])) as url:
        script.url = f"{url}/hook"
        yield script


def client(session: requests.Session, url: str, secret: str = SECRET) -> Webhook:
    return Webhook(session, url, signing_key(secret))


def test_a_signed_notification_is_taken(receiver: Receiver, session: requests.Session) -> None:
    client(session, receiver.url).deliver("id-1", BODY)
    assert (receiver.ids, receiver.bodies, receiver.paths) == (["id-1"], [BODY], ["/hook"])


def test_another_secret_is_refused(receiver: Receiver, session: requests.Session) -> None:
    other = "whsec_" + base64.b64encode(KEY[::-1]).decode()
    with pytest.raises(NotDelivered, match="answered 401"):
        client(session, receiver.url, other).deliver("id-1", BODY)


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_any_2xx_takes_it(receiver: Receiver, session: requests.Session, code: int) -> None:
    receiver.answers = [code]
    client(session, receiver.url).deliver("id-1", BODY)
    assert len(receiver.ids) == 1


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again_under_the_same_id(
    receiver: Receiver, session: requests.Session, code: int
) -> None:
    receiver.answers = [code, code, 200]
    client(session, receiver.url).deliver("id-1", BODY)
    assert receiver.ids == ["id-1"] * 3
    first, second = receiver.pauses
    assert 0.5 <= first <= 1 <= second <= 2


@pytest.mark.parametrize("seconds", [3, 10])
def test_a_short_pause_that_the_receiver_asks_for_is_kept(
    receiver: Receiver, session: requests.Session, seconds: int
) -> None:
    receiver.answers, receiver.headers = [429, 503, 200], {"Retry-After": str(seconds)}
    client(session, receiver.url).deliver("id-1", BODY)
    assert receiver.pauses == [seconds, seconds]


def test_three_calls_are_enough(receiver: Receiver, session: requests.Session) -> None:
    receiver.answers = [500]
    with pytest.raises(NotDelivered, match="answered 500"):
        client(session, receiver.url).deliver("id-1", BODY)
    assert len(receiver.ids) == 3


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_a_refusal_is_not_repeated(receiver: Receiver, session: requests.Session, code: int) -> None:
    receiver.answers = [code]
    with pytest.raises(NotDelivered, match=f"answered {code}"):
        client(session, receiver.url).deliver("id-1", BODY)
    assert len(receiver.ids) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, session: requests.Session, code: int) -> None:
    receiver.answers = [code, 200]
    receiver.headers = {"Location": receiver.url.replace("/hook", "/elsewhere")}
    with pytest.raises(NotDelivered, match=f"answered {code}"):
        client(session, receiver.url).deliver("id-1", BODY)
    assert receiver.paths == ["/hook"]


@pytest.mark.parametrize("seconds", [11, 3600])
def test_a_longer_pause_than_patience_is_left_to_the_next_run(
    receiver: Receiver, session: requests.Session, seconds: int
) -> None:
    receiver.answers, receiver.headers = [429, 200], {"Retry-After": str(seconds)}
    with pytest.raises(NotDelivered, match="answered 429"):
        client(session, receiver.url).deliver("id-1", BODY)
    assert len(receiver.ids) == 1


def test_a_receiver_that_does_not_answer_in_time_is_given_up(
    receiver: Receiver, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/hook"
        with pytest.raises(NotDelivered, match="no answer in time"):
            client(session, url).deliver("id-1", BODY)


def test_a_dead_receiver_is_no_connection_and_neither_url_nor_secret_is_told(
    receiver: Receiver, session: requests.Session
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NotDelivered, match="no connection") as raised:
        client(session, f"http://127.0.0.1:{port}/token-in-a-path").deliver("id-1", BODY)
    assert "token" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("length", [24, 64])
def test_a_secret_holds_a_key(length: int) -> None:
    key = bytes(range(length))
    assert signing_key("whsec_" + base64.b64encode(key).decode()) == key


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "whsec_not base64!",
        "whsec_schlüssel",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        SECRET + "\n",
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes") as raised:
        signing_key(secret)
    assert len(secret) < 10 or secret not in str(raised.value)


def test_the_specifications_own_example_is_signed_as_it_says(
    session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook.time, "time", lambda: 1614265330.5)
    signing = client(session, "http://127.0.0.1/", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signing._headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_documented_check_accepts_what_is_signed_and_nothing_else(session: requests.Session) -> None:
    document = (ROOT / "docs" / "notifications.md").read_text()
    documented: dict[str, Any] = {"base64": base64, "hmac": hmac, "time": time, "Mapping": Mapping}
    exec(document.partition("```python\n")[2].partition("```")[0], documented)
    headers = client(session, "http://127.0.0.1/")._headers("id-1", BODY)
    assert documented["is_genuine"](headers, BODY, SECRET)
    assert not documented["is_genuine"](headers, BODY + b" ", SECRET)
    assert not documented["is_genuine"](headers | {"webhook-id": "id-2"}, BODY, SECRET)
    assert not documented["is_genuine"](headers | {"webhook-timestamp": "1614265330"}, BODY, SECRET)
