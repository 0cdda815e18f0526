"""What has changed since a notification was written: it goes elsewhere, or to nobody."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from lapsewatch.stages import notify_owners as stage
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.notify_owners.conftest import (
    DAY,
    EXPIRED,
    LAPSED,
    NOW,
    REDEMPTION,
    RENEWED,
    KeyOf,
    Live,
    Receiver,
    account_at_risk,
    change,
    delivered,
    outbox,
    recipients,
)


def test_an_expiry_that_is_over_is_not_delivered_any_more(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@expired.com", "b@sent.com")
    notify_owners(live(0, {}, expired_com=EXPIRED, sent_com=EXPIRED), users, status, None)
    change(status, "update lapsewatch.notification set sent_at = now() where domain = 'sent.com'")
    renewed = live(1, {}, expired_com=RENEWED, sent_com=RENEWED)
    notify_owners(replace(renewed, dry_run=True), users, status, None)
    assert [row["withdrawn_at"] for row in outbox(status)] == [None, None]
    notify_owners(renewed, users, status, None)
    withdrawn = {row["domain"]: row["withdrawn_at"] for row in outbox(status)}
    assert withdrawn == {"expired.com": NOW + DAY, "sent.com": None}


def test_an_expiry_is_not_delivered_to_a_domain_that_lapsed_meanwhile(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf
) -> None:
    add_addresses("a@expired.com", "b@alive.com")
    notify_owners(live(0, {}, expired_com=EXPIRED), users, status, Receiver("no connection"))
    lapsed = live(1, {"expired.com": LAPSED}, expired_com=REDEMPTION)
    assert delivered(lapsed, users, status) == [("address_unverified", [key_of("b@alive.com")])]


def test_an_expiry_that_has_gone_further_is_not_delivered_to_who_is_still_verified(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@expired.com")
    run = live(0, {}, expired_com=EXPIRED)
    notify_owners(run, users, status, None)
    change(status, "update lapsewatch.domain_status set phase = 'redemption'")
    assert delivered(replace(run, run_id="later"), users, status) == []
    assert [row["withdrawn_at"] for row in outbox(status)] == [NOW]


def test_an_expiry_is_delivered_elsewhere_once_its_mail_may_be_anothers(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf
) -> None:
    add_addresses("a@expired.com", "b@alive.com", "c@other.com")
    run = live(0, {}, expired_com=EXPIRED)
    notify_owners(run, users, status, Receiver("no connection"))
    [before] = outbox(status)
    change(status, "update lapsewatch.domain_status set verdict = 'unverify' where domain = 'expired.com'")
    change(status, "update lapsewatch.domain_status set lapsed_at = now() where domain = 'alive.com'")
    later = replace(run, run_id="later", clock=lambda: NOW + DAY)
    assert delivered(later, users, status) == [("domain_expiring", [key_of("c@other.com")])]
    [after] = outbox(status)
    assert after["notification_id"] == before["notification_id"]
    assert after["payload"] == before["payload"] | {"recipients": [key_of("c@other.com")]}


def test_an_expiry_is_not_delivered_for_an_address_that_was_unverified_or_removed(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    add_addresses("a@expired.com", "b@alive.com")
    add_addresses("c@expired.com", "d@alive.com")
    run = live(0, {}, expired_com=EXPIRED)
    notify_owners(run, users, status, None)
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = false, unverify_reason = 'domain status invalid'"
            " where email = 'a@expired.com'"
        )
        connection.execute("delete from user_emails where email = 'c@expired.com'")
    assert delivered(replace(run, run_id="later"), users, status) == []
    assert [row["withdrawn_at"] for row in outbox(status)] == [NOW, NOW]


def test_recipients_are_chosen_again_until_a_notification_is_sent(
    live: Live,
    users: UserDatabase,
    status: Engine,
    add_addresses: Callable[..., None],
    key_of: KeyOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stage, "EVENTS_PER_TRANSACTION", 2)
    for number in range(5):
        add_addresses(f"a{number}@lapsed.com", f"b{number}@second.com", f"c{number}@gmail.com")
    notify_owners(live(0, {"lapsed.com": LAPSED}), users, status, None)
    first = recipients(status)
    assert first == {key_of(f"a{number}@lapsed.com"): [key_of(f"b{number}@second.com")] for number in range(5)}
    change(
        status,
        "update lapsewatch.notification set sent_at = now() where payload ->> 'address_key' = :key",
        key=key_of("a4@lapsed.com"),
    )
    ids = {row["notification_id"] for row in outbox(status)}
    told = {"lapsed.com": LAPSED, "second.com": LAPSED}
    notify_owners(replace(live(1, told), dry_run=True), users, status, None)
    assert recipients(status)[key_of("a0@lapsed.com")] == [key_of("b0@second.com")]
    notify_owners(replace(live(2, told), run_id="later"), users, status, None)
    again = recipients(status)
    elsewhere = {key_of(f"a{number}@lapsed.com"): [key_of(f"c{number}@gmail.com")] for number in range(4)}
    assert {key: again[key] for key in first} == first | elsewhere
    assert ids < {row["notification_id"] for row in outbox(status)}


def test_what_a_mailer_has_in_hand_is_neither_changed_nor_waited_for(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf
) -> None:
    add_addresses("a@lapsed.com", "b@second.com", "c@gmail.com")
    run = live(0, {"lapsed.com": LAPSED})
    notify_owners(run, users, status, None)
    change(status, "update lapsewatch.domain_status set lapsed_at = now() where domain = 'second.com'")
    with status.connect() as mailer:
        mailer.execute(text("select from lapsewatch.notification for update skip locked"))
        notify_owners(replace(run, run_id="later"), users, status, None)
    assert recipients(status)[key_of("a@lapsed.com")] == [key_of("b@second.com")]


@pytest.mark.parametrize(
    "change_of_mind",
    [
        "update lapsewatch.domain_status set lapsed_at = now()",
        "update lapsewatch.domain_status set phase = 'released'",
        "delete from lapsewatch.account_at_risk",
        "update lapsewatch.account_at_risk set address_key = 'another'",
    ],
)
def test_advice_that_does_not_fit_any_more_is_not_delivered(
    calm: Run, users: UserDatabase, status: Engine, change_of_mind: str
) -> None:
    account_at_risk(status, "one")
    notify_owners(calm, users, status, Receiver("no connection"))
    change(status, change_of_mind)
    none = replace(calm, run_id="later", clock=lambda: NOW + DAY, max_advice=0)
    assert delivered(none, users, status) == []
    assert [row["withdrawn_at"] for row in outbox(status)] == [NOW + DAY]
