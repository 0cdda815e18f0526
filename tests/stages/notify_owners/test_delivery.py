"""What the webhook is sent: what is unsent, oldest first, and no more than a receiver can take."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import requests
from lapsewatch.clients.webhook import Webhook
from lapsewatch.stages import notify_owners as stage
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.checkout import ROOT
from simulator.server import serving
from tests.stages.conftest import Killed
from tests.stages.notify_owners.conftest import (
    DAY,
    EXPIRED,
    LAPSED,
    NONE,
    NOW,
    Live,
    Receiver,
    account_at_risk,
    change,
    outbox,
)


def fill(status: Engine, number: int, at: datetime = NOW) -> None:
    """Write advice to so many accounts, that fits."""
    for account in range(1, number + 1):
        account_at_risk(status, str(account), "one.com")
    change(
        status,
        "insert into lapsewatch.notification"
        " (kind, event_key, account_key, domain, payload, subject, body, run_id, created_at)"
        " select 'single_address', to_char(n, '000') || :at, n::text, 'one.com',"
        " jsonb_build_object('number', n, 'address_key', n || '-address'),"
        " 'Subject', 'Text', 'old', cast(:at as timestamptz) + n * interval '1 second'"
        " from generate_series(1, :number) as n",
        number=number,
        at=at.isoformat(),
    )


def test_the_webhook_gets_what_is_unsent_oldest_first_and_once(calm: Run, users: UserDatabase, status: Engine) -> None:
    fill(status, 4, NOW - DAY)
    change(status, "update lapsewatch.notification set withdrawn_at = now() where payload ->> 'number' = '2'")
    change(status, "update lapsewatch.notification set sent_at = now() where payload ->> 'number' = '3'")
    receiver = Receiver()
    counts = notify_owners(calm, users, status, receiver)
    assert counts == {"notification_count": NONE, "delivered_count": 2, "undelivered_count": 0}
    ids = {row["payload"]["number"]: str(row["notification_id"]) for row in outbox(status)}
    assert receiver.taken == [
        (
            ids[number],
            {
                "type": "single_address",
                "timestamp": (NOW - DAY + timedelta(seconds=number)).isoformat(),
                "data": {"number": number, "address_key": f"{number}-address"},
                "subject": "Subject",
                "text": "Text",
            },
        )
        for number in (1, 4)
    ]
    assert [row["sent_at"] for row in outbox(status)][0::3] == [NOW, NOW]
    assert notify_owners(calm, users, status, receiver)["delivered_count"] == 0


def test_a_failure_is_recorded_and_left_to_the_next_run(
    calm: Run, users: UserDatabase, status: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    fill(status, 3)
    counts = notify_owners(calm, users, status, Receiver(None, "the receiver answered 500", None))
    assert (counts["delivered_count"], counts["undelivered_count"]) == (2, 1)
    failed = outbox(status)[1]
    assert (failed["attempt_count"], failed["attempted_at"], failed["sent_at"]) == (1, NOW, None)
    assert failed["error"] == "the receiver answered 500"
    assert f"Notification {failed['notification_id']} was not delivered: the receiver answered 500" in caplog.text
    later = replace(calm, run_id="later", clock=lambda: NOW + DAY)
    counts = notify_owners(later, users, status, Receiver())
    assert (counts["delivered_count"], counts["undelivered_count"]) == (1, 0)
    mended = outbox(status)[1]
    assert (mended["attempt_count"], mended["sent_at"], mended["error"]) == (2, NOW + DAY, None)


def test_a_dead_receiver_is_left_in_peace_after_five_failures(
    calm: Run, users: UserDatabase, status: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    fill(status, 12)
    dead = Receiver("no connection")
    counts = notify_owners(calm, users, status, dead)
    assert (counts["delivered_count"], counts["undelivered_count"], len(dead.asked)) == (0, 12, 5)
    assert "Delivery stops here, 5 failures in a row" in caplog.text
    again = replace(calm, run_id="later", clock=lambda: NOW + DAY)
    notify_owners(again, users, status, dead)
    assert len(set(dead.asked)) == 10, "those that were not tried yet come first"


def test_a_success_in_between_starts_the_count_anew(calm: Run, users: UserDatabase, status: Engine) -> None:
    fill(status, 10)
    halting = Receiver(*["no connection"] * 4, None, *["no connection"] * 4, None)
    assert notify_owners(calm, users, status, halting)["delivered_count"] == 2


def test_a_notification_is_given_up_after_ten_attempts_and_counted_while_it_is_news(
    calm: Run, users: UserDatabase, status: Engine
) -> None:
    fill(status, 1)
    dead = Receiver("no connection")
    undelivered = []
    for number in (*range(12), 30, 31):
        run = replace(calm, run_id=f"day{number}", clock=lambda day=number: NOW + day * DAY)
        undelivered.append(notify_owners(run, users, status, dead)["undelivered_count"])
    assert len(dead.asked) == 10
    assert undelivered == [1] * 13 + [0]


def test_who_gives_a_notification_up_withdraws_it(calm: Run, users: UserDatabase, status: Engine) -> None:
    fill(status, 1)
    [command] = re.findall(r"`(update lapsewatch[^`]+)`", (ROOT / "docs" / "notifications.md").read_text())
    change(status, command.replace("'...'", ":id"), id=outbox(status)[0]["notification_id"])
    counts = notify_owners(calm, users, status, Receiver())
    assert (counts["delivered_count"], counts["undelivered_count"]) == (0, 0)


def test_old_news_is_not_delivered(calm: Run, users: UserDatabase, status: Engine) -> None:
    fill(status, 1, NOW - 31 * DAY)
    fill(status, 1, NOW - 29 * DAY)
    counts = notify_owners(calm, users, status, Receiver())
    assert (counts["delivered_count"], counts["undelivered_count"]) == (1, 0)


def test_a_slow_receiver_is_left_when_its_time_is_up(
    calm: Run,
    users: UserDatabase,
    status: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill(status, 1)
    monkeypatch.setattr(stage, "DELIVERY_SECONDS", 0.0)
    counts = notify_owners(calm, users, status, Receiver())
    assert (counts["delivered_count"], counts["undelivered_count"]) == (0, 1)
    assert "Delivery stops here, its time is up" in caplog.text


def test_killed_after_the_call_it_is_delivered_again_under_the_same_id(
    calm: Run, users: UserDatabase, status: Engine
) -> None:
    fill(status, 2)
    receiver = Receiver()
    deliver = receiver.deliver

    def die_after(notification_id: str, body: bytes) -> None:
        deliver(notification_id, body)
        raise Killed

    receiver.deliver = die_after
    with pytest.raises(Killed):
        notify_owners(calm, users, status, receiver)
    receiver.deliver = deliver
    notify_owners(calm, users, status, receiver)
    first, again, other = receiver.asked
    assert first == again != other
    assert all(row["sent_at"] for row in outbox(status))


def test_what_somebody_else_has_in_hand_is_left_to_them(calm: Run, users: UserDatabase, status: Engine) -> None:
    fill(status, 3)
    receiver = Receiver()
    with status.connect() as mailer:
        mailer.execute(
            text("select from lapsewatch.notification where payload ->> 'number' = '1' for update skip locked")
        )
        notify_owners(calm, users, status, receiver)
    assert [message["data"]["number"] for _, message in receiver.taken] == [2, 3]


def test_a_real_receiver_gets_each_notification_signed(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@lapsed.com", "b@expired.com")
    key, bodies = b"0123456789abcdef01234567", {}

    async def receive(request: Request) -> Response:
        body = await request.body()
        head = request.headers
        signed = b".".join([head["webhook-id"].encode(), head["webhook-timestamp"].encode(), body])
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert head["webhook-signature"] == f"v1,{expected}"
        bodies[head["webhook-id"]] = json.loads(body)
        return Response(status_code=410 if bodies[head["webhook-id"]]["type"] == "domain_expiring" else 204)

    run = live(0, {"lapsed.com": LAPSED}, expired_com=EXPIRED)
    receiver = Starlette(routes=[Route("/", receive, methods=["POST"])])
    with serving(receiver) as url, requests.Session() as session:
        counts = notify_owners(run, users, status, Webhook(session, url, key))
    assert (counts["delivered_count"], counts["undelivered_count"]) == (1, 1)
    written = {str(row["notification_id"]): row for row in outbox(status)}
    assert {name: body["data"] for name, body in bodies.items()} == {
        name: row["payload"] for name, row in written.items()
    }
    assert {row["kind"]: row["error"] for row in written.values()} == {
        "address_unverified": None,
        "domain_expiring": "the receiver answered 410",
    }
