"""Giving verifications back: exactly as they were, and only where nothing has changed. The same for every profile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from lapsewatch.user_databases.database import Standing

from tests.contracts.profiles.system import CHECKED_AT, LONG_AGO, System, only


def test_everything_is_as_before(system: System) -> None:
    keys = {system.add("a@lapsed.com", at=LONG_AGO), system.add("b@Lapsed.com")}
    if system.profile.tells_other_addresses:
        system.add("second@other.org", beside=min(keys))
    before = system.rows()
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == keys
    assert system.rows() != before
    assert system.users.reverify(judged) == keys
    assert system.rows() == before
    assert set(system.users.standings(judged)) == {Standing.VERIFIED}
    assert system.judge("lapsed.com") == judged


def move(system: System, key: str) -> None:
    system.change(key, "a@other.org")


def become_somebody_else(system: System, key: str) -> None:
    system.change(key, "victim@lapsed.com")


def verify_again(system: System, key: str) -> None:
    system.verify(key, CHECKED_AT + timedelta(days=1))


def go(system: System, key: str) -> None:
    system.remove(key)


@pytest.mark.parametrize(
    ("happen", "becomes"),
    [
        (move, Standing.MOVED),
        (become_somebody_else, Standing.MOVED),
        (verify_again, Standing.VERIFIED),
        (go, Standing.GONE),
    ],
)
def test_what_has_changed_since_is_left_as_it_is(
    system: System, happen: Callable[[System, str], None], becomes: Standing
) -> None:
    if happen is become_somebody_else and system.profile.evidence == "columns":
        return  # a row is an address there, and never another one
    changed, stays = system.add("a@lapsed.com", at=LONG_AGO), system.add("b@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {changed, stays}
    happen(system, changed)
    before = system.rows()
    found = dict(zip([it.address_key for it in judged], system.users.standings(judged), strict=True))
    assert found == {changed: becomes, stays: Standing.UNVERIFIED}
    assert system.users.reverify(only(judged, changed)) == set()
    assert system.rows() == before
    assert system.users.reverify(judged) == {stays}


def test_what_the_service_has_taken_since_is_not_given_back_again(system: System) -> None:
    system.add("a@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    assert len(system.users.reverify(judged)) == 1
    assert system.users.reverify(judged) == set()
    system.unverify(judged[0].address_key)
    assert system.users.reverify(judged) == set()
    assert system.users.standings(judged) == [Standing.GONE]
    assert system.counts() == {}


def test_who_is_judged_anew_keeps_to_the_newer_evidence(system: System) -> None:
    key = system.add("a@lapsed.com", at=LONG_AGO)
    first = system.judge("lapsed.com")
    system.users.unverify(first)
    system.verify(key, CHECKED_AT - timedelta(hours=1))
    second = system.judge("lapsed.com", checked_at=CHECKED_AT + timedelta(days=1))
    assert system.users.unverify(second) == {key}
    assert system.users.standings([*first, *second]) == [Standing.JUDGED_ANEW, Standing.UNVERIFIED]
    assert system.users.reverify(first) == set()
    assert system.users.reverify(second) == {key}


@pytest.mark.parametrize(
    "other",
    [
        {"checked_at": CHECKED_AT + timedelta(microseconds=1)},
        {"flags": ("inactive", "undelegated")},
        {"host": "other.org"},
    ],
)
def test_other_evidence_gives_nothing_back(system: System, other: dict[str, object]) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.users.unverify(judged)
    assert system.users.reverify([replace(it, **other) for it in judged]) == set()
    assert system.counts() == {}


def test_who_is_left_alone_by_now_stays_so(system: System) -> None:
    keys = {state: system.add(f"{state}@lapsed.com") for state in system.left_alone}
    stays = system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {*keys.values(), stays}
    for state, key in keys.items():
        system.leave_alone(state, key)
    assert system.users.reverify(judged) == {stays}
    assert system.counts() == {"lapsed.com": 1}


def test_what_was_never_taken_is_not_given(system: System) -> None:
    known = system.add("a@lapsed.com")
    never = system.add("never@lapsed.com", verified=False)
    (judged,) = system.judge("lapsed.com")
    before = system.rows()
    assert system.users.reverify([judged, replace(judged, address_key=never)]) == set()
    assert system.users.standings([replace(judged, address_key=never)]) == [Standing.GONE]
    assert system.rows() == before
    assert known


def test_it_can_be_taken_and_given_twice(system: System) -> None:
    key = system.add("a@lapsed.com", at=LONG_AGO)
    before = system.rows()
    judged = system.judge("lapsed.com")
    for _ in range(2):
        assert system.users.unverify(judged) == {key}
        assert system.users.reverify(judged) == {key}
        assert system.rows() == before
