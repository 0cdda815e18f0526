"""When an expiry is told: on the registry's word, and once until the registry says what became of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import SILENT_REGISTRY, rows
from tests.stages.notify_owners.conftest import (
    DAY,
    EXPIRED,
    LONG_AGO,
    NOW,
    REDEMPTION,
    RENEWED,
    Live,
    delivered,
    outbox,
)


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
