"""Each event is told once, whoever else is at work and whoever dies, and what was undone is not told."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lapsewatch.clients.webhook import Webhook
from lapsewatch.core.notifications import Kind
from lapsewatch.stages import notify_owners as stage
from lapsewatch.stages.notify_owners import Events, notify_owners
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Connection, Engine, text

from tests.conftest import confirm_address
from tests.stages.conftest import Killed, rows
from tests.stages.notify_owners.conftest import (
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


@pytest.mark.parametrize("at", [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 5, 6, 7, 120, tzinfo=UTC)])
def test_the_database_names_events_as_python_does(status: Engine, at: datetime) -> None:
    for zone in ("UTC", "Asia/Kathmandu"):
        with status.connect() as connection:
            connection.execute(text(f"set time zone '{zone}'"))
            named = connection.scalar(text("select lapsewatch.event_key('7', 'one.com', :at)"), {"at": at})
        assert named == f"7|one.com|{at.isoformat()}"
