"""`docs/notifications.md` and the code say the same, and the texts can be written for every payload."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from lapsewatch.core.notifications import (
    TEXTS_FOLDER,
    AddressUnverified,
    DomainExpiring,
    Kind,
    Notification,
    SingleAddress,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
EXAMPLES = {found["kind"]: found for found in map(json.loads, re.findall(r"```json\n(.*?)\n```", DOCUMENT, re.DOTALL))}
FIELDS = re.findall(r"^\| `(\w+)` \| (all|`\w+`) \|", DOCUMENT, re.MULTILINE)

AT = datetime(2026, 11, 21, 23, 30, tzinfo=timezone(timedelta(hours=-3)))
ABOUT = {"account_key": "account", "address_key": "7", "domain": "one.com", "recipients": ("8",)}
NOTIFICATIONS: list[Notification] = [
    AddressUnverified(**ABOUT, lapsed_at=AT, unverified_at=AT, reason="the domain is not registered"),
    DomainExpiring(**ABOUT, expired_since=AT, registrar=None),
    SingleAddress(**ABOUT, has_second_factor=None, owned_count=3, owns_popular=True),
]
each_kind = pytest.mark.parametrize("told", NOTIFICATIONS, ids=lambda told: told.kind.value)


def test_every_kind_is_tried_here() -> None:
    assert [told.kind for told in NOTIFICATIONS] == list(Kind)
    assert {file.name for file in TEXTS_FOLDER.iterdir()} == {f"{kind.value}.txt" for kind in Kind}


@each_kind
def test_the_documented_example_has_the_keys_that_are_written(told: Notification) -> None:
    payload = told.payload()
    assert list(EXAMPLES[told.kind]) == list(payload)
    assert {type(value) for value in (EXAMPLES[told.kind]["version"], payload["version"])} == {int}
    assert EXAMPLES[told.kind]["version"] == payload["version"]


@each_kind
def test_the_documented_table_names_the_fields_of_each_kind(told: Notification) -> None:
    assert [name for name, where in FIELDS if where in ("all", f"`{told.kind.value}`")] == list(told.payload())


@each_kind
def test_a_payload_is_json_with_times_in_utc(told: Notification) -> None:
    payload = json.loads(json.dumps(told.payload()))
    times = [value for name, value in payload.items() if name.endswith(("_at", "_since"))]
    assert set(times) <= {AT.astimezone(UTC).isoformat()}
    assert payload["recipients"] == ["8"]


@each_kind
def test_the_words_name_the_domain_and_the_day_in_utc(told: Notification) -> None:
    subject, body = told.words()
    assert "$" not in subject + body
    assert "@" not in subject + body
    assert subject == subject.strip() != ""
    assert "\n" not in subject
    assert body.startswith("Hello,\n")
    assert "one.com" in body
    assert told.kind is Kind.SINGLE_ADDRESS or "2026-11-22" in body
