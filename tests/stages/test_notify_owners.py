"""Who is told what: each event once, at an address that can be trusted, and never more than keys."""

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import requests
from lapsewatch.clients.webhook import NotDelivered, Webhook
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.notifications import Kind
from lapsewatch.stages import notify_owners as stage
from lapsewatch.stages.notify_owners import Events, notify_owners
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.status_database.journal import Counts
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Connection, Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.checkout import ROOT
from simulator.server import serving
from tests.conftest import confirm_address
from tests.stages.conftest import RUN, SILENT_REGISTRY, Check, Row, plan_and_unverify, rows

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)
LAPSED = "undelegated active expiring"
EXPIRED = RdapReading(
    RdapOutcome.FOUND, ("auto renew period",), registered_at=LONG_AGO, expires_at=NOW + 300 * DAY, registrar="Acme"
)
NONE: Counts = {"address_unverified": 0, "domain_expiring": 0, "single_address": 0}

Live = Callable[..., Run]


@pytest.fixture
def live(status: Engine, users: UserDatabase, check: Check) -> Live:
    """Live through a day: what the witnesses say is published and acted upon; nobody is told yet."""

    def day(number: int, told: dict[str, str | NoEvidenceReason], **records: RdapReading) -> Run:
        run = replace(RUN, run_id=f"day{number}", as_of=RUN.as_of + number * DAY, clock=lambda: NOW + number * DAY)
        readings = {name.replace("_", "."): record for name, record in records.items()}
        run = check(told, run, records=readings, scope="all")
        store_domain_status(run, status)
        plan_and_unverify(run, users, status)
        return run

    return day


@pytest.fixture
def key_of(user_url: str) -> Callable[[str], str]:
    """The key of an address."""

    def key(email: str) -> str:
        with psycopg.connect(user_url) as connection:
            [found] = connection.execute("select id from user_emails where email = %s", [email]).fetchone()
        return str(found)

    return key


KeyOf = Callable[[str], str]


def outbox(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.notification order by kind, created_at, event_key")


def change(status: Engine, statement: str, **values: object) -> None:
    with status.begin() as connection:
        connection.execute(text(statement), values)


def recipients(status: Engine) -> dict[str, list[str]]:
    return {row["payload"]["address_key"]: row["payload"]["recipients"] for row in outbox(status)}


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


def test_each_event_is_told_once_however_often_it_is_asked(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@lapsed.com", "b@expired.com")
    told = {"lapsed.com": LAPSED}
    run = live(0, told, expired_com=EXPIRED)
    first = notify_owners(run, users, status, None)
    before = outbox(status)
    assert len(before) == 2
    assert notify_owners(run, users, status, None) == first
    later = notify_owners(live(1, told, expired_com=EXPIRED), users, status, None)
    assert later == {"notification_count": NONE}
    assert outbox(status) == before


def test_two_runs_at_once_tell_each_event_once(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "EVENTS_PER_TRANSACTION", 3)
    for number in range(10):
        add_addresses(f"a{number}@lapsed.com", f"b{number}@expired.com")
        account_at_risk(status, f"c{number}")
    run = live(0, {"lapsed.com": LAPSED}, expired_com=EXPIRED)
    both = threading.Barrier(2)
    accounts_of = users.accounts_of

    def wait_for_each_other(keys: object) -> Iterator[object]:
        found = list(accounts_of(keys))
        if not both.broken:
            try:
                both.wait(1)
            except threading.BrokenBarrierError:
                both.abort()
        return iter(found)

    monkeypatch.setattr(users, "accounts_of", wait_for_each_other)
    threads = [
        threading.Thread(target=notify_owners, args=(replace(run, run_id=run_id), users, status, None))
        for run_id in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outbox(status)) == len({(row["kind"], row["event_key"]) for row in outbox(status)}) == 30


class Killed(BaseException):
    """Stands for the process dying at this point."""


def test_killed_between_two_transactions_a_rerun_adds_what_is_missing(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "EVENTS_PER_TRANSACTION", 2)
    for number in range(5):
        add_addresses(f"a{number}@lapsed.com", f"b{number}@expired.com")
    for number in range(5):
        account_at_risk(status, f"c{number}")
    run = live(0, {"lapsed.com": LAPSED}, expired_com=EXPIRED)
    write = stage._write
    kills = 0

    def die_at_the_second(connection: Connection, run: Run, kind: Kind, events: Events) -> None:
        write(connection, run, kind, events)
        if events and lives.pop():
            raise Killed

    monkeypatch.setattr(stage, "_write", die_at_the_second)
    while len(outbox(status)) < 13:
        lives = [True, False]
        with pytest.raises(Killed):
            notify_owners(run, users, status, None)
        kills += 1
    assert kills == 8
    monkeypatch.undo()
    counts = notify_owners(run, users, status, None)
    assert counts["notification_count"] == {"address_unverified": 5, "domain_expiring": 5, "single_address": 5}
    assert len(outbox(status)) == 15


def test_a_dry_run_counts_and_writes_nothing(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@lapsed.com", "b@expired.com", "c@expired.com")
    account_at_risk(status, "d")
    run = live(0, {"lapsed.com": LAPSED}, expired_com=EXPIRED)
    counts = notify_owners(replace(run, dry_run=True), users, status, Webhook(None, "", b""))
    assert counts == {"notification_count": {"address_unverified": 1, "domain_expiring": 2, "single_address": 1}}
    assert outbox(status) == []


@pytest.mark.parametrize(
    "what",
    ["state = 'undone', undone_why = 'mistake'", "settled_at = settled_at - interval '8 days'"],
)
def test_what_was_undone_or_is_long_past_is_not_told(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], what: str
) -> None:
    add_addresses("a@lapsed.com")
    run = live(0, {"lapsed.com": LAPSED})
    change(status, f"update lapsewatch.address_unverification set {what}")
    notify_owners(run, users, status, None)
    assert outbox(status) == []


def test_who_has_verified_again_is_not_told_any_more(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    add_addresses("a@lapsed.com", "b@lapsed.com", "c@gmail.com")
    run = live(0, {"lapsed.com": LAPSED})
    confirm_address(user_url, "a@lapsed.com", NOW)
    assert notify_owners(run, users, status, None)["notification_count"]["address_unverified"] == 1
    confirm_address(user_url, "b@lapsed.com", NOW)
    counts = notify_owners(replace(run, run_id="later"), users, status, Receiver())
    assert (counts["delivered_count"], counts["undelivered_count"]) == (0, 0)
    assert [row["withdrawn_at"] for row in outbox(status)] == [NOW]


def test_an_address_that_was_taken_twice_before_anybody_was_told_is_told_of_both(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@lapsed.com")
    run = live(0, {"lapsed.com": LAPSED})
    change(
        status,
        "insert into lapsewatch.domain_lapse select (older).* from (select jsonb_populate_record(lapse,"
        " jsonb_build_object('lapsed_at', lapsed_at - interval '1 day')) as older"
        " from lapsewatch.domain_lapse as lapse) as made",
    )
    change(
        status,
        "insert into lapsewatch.address_unverification select (older).* from (select jsonb_populate_record(taken,"
        " jsonb_build_object('lapsed_at', lapsed_at - interval '1 day', 'run_id', 'older')) as older"
        " from lapsewatch.address_unverification as taken) as made",
    )
    notify_owners(run, users, status, None)
    assert len(outbox(status)) == 2


def test_an_undo_waits_until_there_is_a_notification_to_withdraw(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_addresses("a@lapsed.com")
    run = live(0, {"lapsed.com": LAPSED})
    started, undone = threading.Event(), []

    def undo() -> None:
        started.set()
        change(status, "update lapsewatch.address_unverification set state = 'undoing', undone_why = 'mistake'")
        undone.append(len(outbox(status)))

    accounts_of = users.accounts_of
    undoing = threading.Thread(target=undo)

    def undo_meanwhile(keys: object) -> Iterator[object]:
        undoing.start()
        started.wait()
        undoing.join(0.3)
        return accounts_of(keys)

    monkeypatch.setattr(users, "accounts_of", undo_meanwhile)
    notify_owners(run, users, status, None)
    undoing.join()
    assert undone == [1]


def test_an_address_that_two_lapses_touch_is_told_of_once(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@lapsed.com")
    run = live(0, {"lapsed.com": LAPSED})
    change(
        status,
        "insert into lapsewatch.domain_lapse select (older).* from (select jsonb_populate_record(lapse,"
        " jsonb_build_object('lapsed_at', lapsed_at - interval '1 year')) as older"
        " from lapsewatch.domain_lapse as lapse) as made",
    )
    change(
        status,
        "insert into lapsewatch.address_unverification select (older).* from (select jsonb_populate_record(taken,"
        " jsonb_build_object('lapsed_at', lapsed_at - interval '1 year')) as older"
        " from lapsewatch.address_unverification as taken) as made",
    )
    notify_owners(run, users, status, None)
    [taken] = rows(status, "select max(lapsed_at) as lapsed_at from lapsewatch.address_unverification")
    assert [row["payload"]["lapsed_at"] for row in outbox(status)] == [taken["lapsed_at"].astimezone(UTC).isoformat()]


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


def test_an_expiry_is_told_on_fresh_evidence_of_the_registry_only(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@expired.com")
    live(0, {}, expired_com=EXPIRED)
    silent = live(3, {}, expired_com=SILENT_REGISTRY)
    assert rows(status, "select phase from lapsewatch.domain_status") == [{"phase": "expired"}]
    notify_owners(silent, users, status, None)
    assert outbox(status) == []
    notify_owners(live(4, {}, expired_com=EXPIRED), users, status, None)
    assert len(outbox(status)) == 1


def test_a_run_over_a_list_tells_of_its_domains_only(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@lapsed.com", "b@expired.com")
    account_at_risk(status, "c")
    run = live(0, {"lapsed.com": LAPSED}, expired_com=EXPIRED)
    elsewhere = notify_owners(replace(run, scope="list", domains=("other.com",)), users, status, None)
    assert elsewhere == {"notification_count": NONE}
    notify_owners(replace(run, scope="list", domains=("expired.com",)), users, status, None)
    assert [row["domain"] for row in outbox(status)] == ["expired.com"]


RENEWED = RdapReading(RdapOutcome.FOUND, ("active",), registered_at=LONG_AGO)
REDEMPTION = RdapReading(RdapOutcome.FOUND, ("redemption period",), registered_at=LONG_AGO)
ON_HOLD = RdapReading(RdapOutcome.FOUND, ("client hold",), registered_at=LONG_AGO)
GONE = RdapReading(RdapOutcome.NOT_FOUND)


@pytest.mark.parametrize(
    ("told", "record", "is_kept"),
    [
        (NoEvidenceReason.TIMEOUT, SILENT_REGISTRY, True),
        ("active", SILENT_REGISTRY, True),
        ("undelegated", SILENT_REGISTRY, True),
        ("active", ON_HOLD, True),
        ("active", REDEMPTION, True),
        ("active", EXPIRED, True),
        ("active", RENEWED, False),
        ("inactive", GONE, False),
        ("active", replace(RENEWED, registered_at=NOW + DAY / 2), False),
    ],
)
def test_one_expiry_lasts_until_the_registry_says_what_became_of_it(
    live: Live,
    status: Engine,
    add_addresses: Callable[..., None],
    told: str | NoEvidenceReason,
    record: RdapReading,
    is_kept: bool,
) -> None:
    add_addresses("a@expired.com")
    live(0, {}, expired_com=EXPIRED)
    live(1, {"expired.com": told}, expired_com=record)
    since = "select expired_since from lapsewatch.domain_status"
    assert rows(status, since) == [{"expired_since": NOW if is_kept else None}]


def test_flags_alone_do_not_end_an_expiry(live: Live, status: Engine, add_addresses: Callable[..., None]) -> None:
    add_addresses("a@expired.com")
    live(0, {}, expired_com=EXPIRED)
    live(1, {"expired.com": "undelegated"}, expired_com=SILENT_REGISTRY)
    live(2, {"expired.com": "active"}, expired_com=SILENT_REGISTRY)
    [known] = rows(status, "select phase, expired_since from lapsewatch.domain_status")
    assert known == {"phase": "active", "expired_since": NOW}


def test_an_expiry_after_a_renewal_is_told_anew(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@expired.com")
    for number, record in enumerate([EXPIRED, REDEMPTION, EXPIRED, RENEWED, EXPIRED]):
        notify_owners(live(number, {"expired.com": "undelegated"}, expired_com=record), users, status, None)
    since = [row["payload"]["expired_since"] for row in outbox(status)]
    assert since == [NOW.isoformat(), (NOW + 4 * DAY).isoformat()]


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


Delivered = list[tuple[str, list[str]]]


def delivered(run: Run, users: UserDatabase, status: Engine) -> Delivered:
    """Deliver what is unsent; return what kind went to whom, by address keys."""
    receiver = Receiver()
    notify_owners(run, users, status, receiver)
    return [(message["type"], message["data"]["recipients"]) for _, message in receiver.taken]


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


def test_a_registry_that_says_now_this_now_that_makes_one_letter_in_ninety_days(
    live: Live, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@expired.com")
    sent = {}
    for number in (0, 1, 2, 3, 4, 89, 90, 91, 92):
        record = RENEWED if number in (1, 3, 90, 91) else EXPIRED
        run = live(number, {"expired.com": "undelegated"}, expired_com=record)
        sent[number] = len(delivered(run, users, status))
    assert sent == {0: 1, 1: 0, 2: 0, 3: 0, 4: 0, 89: 0, 90: 0, 91: 0, 92: 1}


def account_at_risk(status: Engine, account_key: str, domain: str = "risky.com", **known: object) -> None:
    values = {"has_second_factor": None, "owned_count": None, "owns_popular": None, "seen_at": NOW, "phase": "active"}
    change(
        status,
        "insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at, phase)"
        " values (:domain, :seen_at, :seen_at, :phase) on conflict do nothing",
        **values | known | {"domain": domain},
    )
    change(
        status,
        "insert into lapsewatch.account_at_risk values (:account_key, :address_key, :domain, :domain,"
        " :has_second_factor, :owned_count, :owns_popular, :seen_at) on conflict do nothing",
        **values | known | {"domain": domain, "account_key": account_key, "address_key": f"{account_key}-address"},
    )


def advised(status: Engine) -> list[str]:
    return [row["account_key"] for row in outbox(status)]


@pytest.fixture
def calm() -> Run:
    """A run in which nothing has happened."""
    return replace(RUN, clock=lambda: NOW)


def test_the_accounts_most_at_risk_are_advised_first_and_no_more_than_allowed(
    calm: Run, users: UserDatabase, status: Engine
) -> None:
    account_at_risk(status, "popular", owns_popular=True, has_second_factor=True, owned_count=1)
    account_at_risk(status, "open", owns_popular=False, has_second_factor=False, owned_count=1)
    account_at_risk(status, "prolific", owns_popular=False, has_second_factor=True, owned_count=9)
    account_at_risk(status, "idle", owns_popular=False, has_second_factor=True, owned_count=0)
    account_at_risk(status, "untold")
    order = ["popular", "open", "prolific", "idle", "untold"]
    for number in range(1, 6):
        run = replace(calm, run_id=f"run{number}", max_advice=1)
        for _ in range(2):
            counts = notify_owners(run, users, status, None)
            assert counts == {"notification_count": NONE | {"single_address": 1}}
        assert set(advised(status)) == set(order[:number])
    [told] = [row for row in outbox(status) if row["account_key"] == "popular"]
    assert told["payload"] == {
        "version": 1,
        "kind": "single_address",
        "account_key": "popular",
        "address_key": "popular-address",
        "domain": "risky.com",
        "recipients": ["popular-address"],
        "has_second_factor": True,
        "owned_count": 1,
        "owns_popular": True,
    }


def test_an_account_is_advised_once_a_year(calm: Run, users: UserDatabase, status: Engine) -> None:
    account_at_risk(status, "one")
    told = {}
    for number in (0, 1, 364, 366, 400, 732):
        run = replace(calm, run_id=f"day{number}", clock=lambda day=number: NOW + day * DAY)
        told[number] = notify_owners(run, users, status, None)["notification_count"]["single_address"]
    assert told == {0: 1, 1: 0, 364: 0, 366: 1, 400: 0, 732: 1}


def test_only_accounts_of_the_newest_extraction_on_domains_that_stand_well_are_advised(
    calm: Run, users: UserDatabase, status: Engine
) -> None:
    account_at_risk(status, "fine")
    account_at_risk(status, "vanished", seen_at=NOW - DAY)
    account_at_risk(status, "expired", "expired.com", phase="expired")
    account_at_risk(status, "unknown", "unknown.com", phase="unknown")
    account_at_risk(status, "lapsed", "lapsed.com")
    change(status, "update lapsewatch.domain_status set lapsed_at = now() where domain = 'lapsed.com'")
    notify_owners(calm, users, status, None)
    assert advised(status) == ["fine"]


@pytest.mark.parametrize("at", [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 5, 6, 7, 120, tzinfo=UTC)])
def test_the_database_names_events_as_python_does(status: Engine, at: datetime) -> None:
    for zone in ("UTC", "Asia/Kathmandu"):
        with status.connect() as connection:
            connection.execute(text(f"set time zone '{zone}'"))
            named = connection.scalar(text("select lapsewatch.event_key('7', 'one.com', :at)"), {"at": at})
        assert named == f"7|one.com|{at.isoformat()}"


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


class Receiver:
    """A webhook that takes everything, or fails as told: an error for each notification's kind, or for all."""

    def __init__(self, *errors: str | None) -> None:
        self.errors = list(errors)
        self.taken: list[tuple[str, dict[str, object]]] = []
        self.asked: list[str] = []

    def deliver(self, notification_id: str, body: bytes) -> None:
        self.asked.append(notification_id)
        error = self.errors.pop(0) if len(self.errors) > 1 else self.errors[0] if self.errors else None
        if error:
            raise NotDelivered(error, is_transient=True)
        self.taken.append((notification_id, json.loads(body)))


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
