"""Where an owner is written to: at an address that can be trusted, and never more than its key is told."""

from collections.abc import Callable
from datetime import UTC

import psycopg
import pytest
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import SILENT_REGISTRY, rows
from tests.stages.notify_owners.conftest import (
    EXPIRED,
    LAPSED,
    NONE,
    NOW,
    KeyOf,
    Live,
    Receiver,
    account_at_risk,
    change,
    outbox,
    recipients,
)


def make_primary(user_url: str, email: str) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute('update user_emails set "primary" = true where email = %s', [email])


def test_who_lost_a_verification_is_told_at_another_address(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf, user_url: str
) -> None:
    add_addresses("a@lapsed.com", "b@alive.com", "c@gmail.com")
    make_primary(user_url, "c@gmail.com")
    run = live(0, {"lapsed.com": LAPSED})
    counts = notify_owners(run, users, status, None)
    assert counts == {"notification_count": NONE | {"address_unverified": 1}}
    [told] = outbox(status)
    [taken] = rows(status, "select * from lapsewatch.address_unverification")
    key = key_of("a@lapsed.com")
    assert told["event_key"] == f"{key}|lapsed.com|{taken['lapsed_at'].astimezone(UTC).isoformat()}"
    assert (told["kind"], told["domain"], told["run_id"]) == ("address_unverified", "lapsed.com", "day0")
    with psycopg.connect(user_url) as connection:
        [account] = connection.execute("select user_id::text from user_emails where id = %s", [key]).fetchone()
    assert told["account_key"] == account
    assert told["payload"] == {
        "version": 1,
        "kind": "address_unverified",
        "account_key": account,
        "address_key": key,
        "domain": "lapsed.com",
        "recipients": [key_of("c@gmail.com")],
        "lapsed_at": taken["lapsed_at"].astimezone(UTC).isoformat(),
        "unverified_at": taken["settled_at"].astimezone(UTC).isoformat(),
        "reason": taken["reason"],
    }
    assert "lapsed.com" in told["subject"]
    assert taken["reason"] in told["body"]
    assert told["created_at"] == NOW
    assert told["sent_at"] is None


@pytest.mark.parametrize(
    ("other", "is_told_there"),
    [
        ("b@alive.com", True),
        ("b@gmail.com", True),
        ("b@mail.lapsed.com", False),
        ("b@lapsed.too.com", True),
        ("b@second.com", False),
        ("b@expired.com", False),
        ("b@doubtful.com", False),
        ("b@undelegated.com", False),
        ('"b"@alive.com', False),
        ("b@c@alive.com", False),
        ("b@[192.0.2.1]", False),
    ],
)
def test_no_address_that_somebody_else_may_read_is_written_to(
    live: Live,
    users: UserDatabase,
    status: Engine,
    add_addresses: Callable[..., None],
    key_of: KeyOf,
    other: str,
    is_told_there: bool,
) -> None:
    add_addresses("a@lapsed.com", other)
    told = {"lapsed.com": LAPSED, "second.com": LAPSED, "doubtful.com": LAPSED, "undelegated.com": "undelegated"}
    run = live(0, told, expired_com=EXPIRED, doubtful_com=SILENT_REGISTRY, undelegated_com=SILENT_REGISTRY)
    notify_owners(run, users, status, None)
    assert recipients(status)[key_of("a@lapsed.com")] == ([key_of(other)] if is_told_there else [])


def test_a_live_address_is_preferred_to_a_primary_one_that_nobody_reads(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf, user_url: str
) -> None:
    add_addresses("a@lapsed.com", "b@undelegated.com", "c@alive.com")
    make_primary(user_url, "b@undelegated.com")
    told = {"lapsed.com": LAPSED, "undelegated.com": "undelegated"}
    notify_owners(live(0, told, undelegated_com=SILENT_REGISTRY), users, status, None)
    assert recipients(status) == {key_of("a@lapsed.com"): [key_of("c@alive.com")]}


def test_a_domain_that_was_not_checked_yet_is_as_good_as_another(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf
) -> None:
    add_addresses("a@lapsed.com", "b@alive.com")
    run = live(0, {"lapsed.com": LAPSED, "alive.com": NoEvidenceReason.TIMEOUT})
    [known] = rows(status, "select verdict, checked_at from lapsewatch.domain_status where domain = 'alive.com'")
    assert known == {"verdict": "watch", "checked_at": None}
    notify_owners(run, users, status, None)
    assert recipients(status) == {key_of("a@lapsed.com"): [key_of("b@alive.com")]}


@pytest.mark.parametrize("trouble", ["lapsed_at = now()", "verdict = 'unverify'", "phase = 'released'"])
def test_any_trouble_with_its_domain_is_enough_not_to_write_to_an_address(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], trouble: str
) -> None:
    add_addresses("a@lapsed.com", "b@alive.com")
    run = live(0, {"lapsed.com": LAPSED})
    change(status, f"update lapsewatch.domain_status set {trouble} where domain = 'alive.com'")
    notify_owners(run, users, status, None)
    assert [row["payload"]["recipients"] for row in outbox(status)] == [[]]


@pytest.mark.parametrize("reason", [None, "hard bounce", "domain status invalid"])
def test_an_address_that_is_not_verified_is_not_written_to(
    live: Live,
    users: UserDatabase,
    status: Engine,
    add_addresses: Callable[..., None],
    user_url: str,
    reason: str | None,
) -> None:
    add_addresses("a@lapsed.com", "b@alive.com", "c@gmail.com")
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = false, unverify_reason = %s where email <> 'a@lapsed.com'", [reason]
        )
    notify_owners(live(0, {"lapsed.com": LAPSED}), users, status, None)
    assert [row["payload"]["recipients"] for row in outbox(status)] == [[]]


def test_an_address_that_is_gone_is_passed_over(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    add_addresses("a@lapsed.com", "b@lapsed.com")
    run = live(0, {"lapsed.com": LAPSED})
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails where email = 'a@lapsed.com'")
    notify_owners(run, users, status, None)
    assert len(outbox(status)) == 1


def test_owners_of_an_expired_domain_are_told_there_and_at_another_address(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf
) -> None:
    add_addresses("a@mail.expired.com", "b@expired.com", "c@alive.com")
    add_addresses("d@expired.com")
    add_addresses("e@expired.com", verified=False)
    run = live(0, {}, expired_com=EXPIRED)
    notify_owners(run, users, status, None)
    elsewhere = key_of("c@alive.com")
    assert recipients(status) == {
        key_of("a@mail.expired.com"): [key_of("a@mail.expired.com"), elsewhere],
        key_of("b@expired.com"): [key_of("b@expired.com"), elsewhere],
        key_of("d@expired.com"): [key_of("d@expired.com")],
    }
    [since] = rows(status, "select expired_since from lapsewatch.domain_status where domain = 'expired.com'")
    for row in outbox(status):
        assert row["payload"]["expired_since"] == since["expired_since"].astimezone(UTC).isoformat()
        assert row["payload"]["registrar"] == "Acme"
        assert row["event_key"] == f"{row['payload']['address_key']}|expired.com|{row['payload']['expired_since']}"


def test_where_the_mail_may_be_anothers_only_the_other_address_is_written_to(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], key_of: KeyOf
) -> None:
    add_addresses("a@expired.com", "b@alive.com")
    run = live(0, {}, expired_com=EXPIRED)
    change(status, "update lapsewatch.domain_status set verdict = 'unverify' where domain = 'expired.com'")
    notify_owners(run, users, status, None)
    assert recipients(status) == {key_of("a@expired.com"): [key_of("b@alive.com")]}


def test_no_address_gets_into_the_outbox_or_the_log(
    live: Live,
    users: UserDatabase,
    status: Engine,
    add_addresses: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    add_addresses("a@lapsed.com", "b@expired.com", "c@gmail.com")
    account_at_risk(status, "d")
    run = live(0, {"lapsed.com": LAPSED}, expired_com=EXPIRED)
    notify_owners(run, users, status, Receiver("no connection"))
    assert len(outbox(status)) == 3
    assert "@" not in str(outbox(status))
    assert "@" not in caplog.text
