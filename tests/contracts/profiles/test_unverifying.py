"""Taking verifications away: only those that stand, and nothing besides. The same for every profile."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from lapsewatch.user_databases.database import Standing

from tests.contracts.profiles.system import CHECKED_AT, LONG_AGO, System, only

NO_KEYS = ["", "gone", "99999999999999999999999", "-1", "1; drop table users", "0b2e6a52-5c0f-4f3e-9d0a-5b2f8a7c1d11"]


def test_it_takes_what_was_judged_and_nothing_else(system: System) -> None:
    lapsed = {system.add("a@lapsed.com"), system.add("b@Lapsed.com", at=LONG_AGO)}
    system.add("c@other.org")
    system.add("never@lapsed.com", verified=False)
    if system.profile.tells_other_addresses:
        system.add("second@other.org", beside=min(lapsed))
    before = system.rows()
    judged = system.judge("lapsed.com")
    assert {it.address_key for it in judged} == lapsed
    assert system.users.unverify(judged) == lapsed
    assert "lapsed.com" not in system.counts()
    assert system.counts() == ({"other.org": 2} if system.profile.tells_other_addresses else {"other.org": 1})
    after = system.rows()
    for table, rows in before.items():
        unchanged = [row for row in rows if row in after[table]]
        assert len(after[table]) == len(rows) + (len(lapsed) if table in system.noted_in else 0)
        assert len(rows) - len(unchanged) <= len(lapsed)
    assert set(system.users.standings(judged)) == {Standing.UNVERIFIED}


def test_once_is_enough(system: System) -> None:
    key = system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    assert system.users.unverify([*judged, *judged]) == {key}
    before = system.rows()
    assert system.users.unverify(judged) == set()
    assert system.rows() == before


def test_who_was_never_verified_is_untouched(system: System) -> None:
    known = system.add("a@lapsed.com")
    never = system.add("never@lapsed.com", verified=False)
    (judged,) = system.judge("lapsed.com")
    forged = replace(judged, address_key=never)
    assert system.users.unverify([forged, judged]) == {known}
    assert system.users.unverified([forged]) == set()
    assert system.users.reverify([forged, judged]) == {known}
    assert system.counts() == {"lapsed.com": 1}


def test_who_moved_meanwhile_is_untouched(system: System) -> None:
    moved, stays = system.add("a@lapsed.com"), system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    system.change(moved, "a@other.org")
    assert system.users.unverify(judged) == {stays}
    assert system.counts() == {"other.org": 1}


def test_who_was_verified_again_meanwhile_is_untouched(system: System) -> None:
    if system.profile.tells_verification_time == "no":
        return
    again, stays = system.add("a@lapsed.com", at=LONG_AGO), system.add("b@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    system.verify(again, CHECKED_AT + timedelta(seconds=1))
    assert system.users.unverify(judged) == {stays}
    assert system.counts() == {"lapsed.com": 1}


def test_whom_the_service_unverified_meanwhile_is_untouched(system: System) -> None:
    theirs, stays = system.add("a@lapsed.com"), system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    system.unverify(theirs)
    assert system.users.unverify(judged) == {stays}
    assert system.users.unverified(judged) == {stays}


def test_who_went_meanwhile_is_passed_over(system: System) -> None:
    gone, stays = system.add("a@lapsed.com"), system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    system.remove(gone)
    assert system.users.unverify(judged) == {stays}


def test_whoever_is_to_be_left_alone_meanwhile_is_untouched(system: System) -> None:
    keys = {state: system.add(f"{state}@lapsed.com") for state in system.left_alone}
    stays = system.add("b@lapsed.com")
    judged = system.judge("lapsed.com")
    for state, key in keys.items():
        system.leave_alone(state, key)
    before = system.rows()
    assert system.users.unverify(judged) == {stays}
    assert system.users.reverify(judged) == {stays}
    assert system.rows() == before


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_is_none_fails_nobody(system: System, key: str) -> None:
    good = system.add("a@lapsed.com")
    (judged,) = system.judge("lapsed.com")
    batch = [replace(judged, address_key=key), judged]
    assert system.users.unverify(batch) == {good}
    assert system.users.unverified(batch) == {good}
    assert system.users.standings(batch) == [Standing.GONE, Standing.UNVERIFIED]
    assert system.users.reverify(batch) == {good}


def test_an_address_is_judged_by_its_own_host_only(system: System) -> None:
    system.add("a@lapsed.com")
    (judged,) = system.judge("lapsed.com")
    for host in ("other.org", "LAPSED.COM", "lapsed.com ", ""):
        assert system.users.unverify([replace(judged, host=host)]) == set()
    assert system.counts() == {"lapsed.com": 1}


def test_other_addresses_of_the_account_stay(system: System) -> None:
    if not system.profile.tells_other_addresses:
        return
    lapsed = system.add("a@lapsed.com")
    other = system.add("a@other.org", beside=lapsed)
    assert system.users.unverify(system.judge("lapsed.com")) == {lapsed}
    assert [it.address_key for it in system.judge("other.org")] == [other]
    assert [it.address_key for it in system.users.sole_addresses()] == [other]


def test_a_crash_between_is_found_out(system: System) -> None:
    """Whoever died before he could say what he did asks, whatever has become of the addresses since."""
    keys = [system.add(f"{name}@lapsed.com", at=LONG_AGO) for name in "abc"]
    judged = system.judge("lapsed.com")
    taken = only(judged, *keys[:2])
    assert system.users.unverified(judged) == set()
    assert system.users.unverify(taken) == set(keys[:2])
    system.verify(keys[0], CHECKED_AT + timedelta(days=1))
    assert system.users.unverified(judged) == set(keys[:2])
    other_evidence = [replace(it, checked_at=CHECKED_AT + timedelta(microseconds=1)) for it in judged]
    assert system.users.unverified(other_evidence) == set()
    assert system.users.unverified([replace(it, flags=("inactive", "other")) for it in judged]) == set()


def test_a_moment_is_the_same_in_every_zone(system: System) -> None:
    key = system.add("a@lapsed.com", at=LONG_AGO)
    judged = system.judge("lapsed.com")
    zone = timezone(timedelta(hours=5, minutes=30))
    elsewhere = [
        replace(
            it,
            verified_at=it.verified_at and it.verified_at.astimezone(zone),
            checked_at=it.checked_at.astimezone(zone),
        )
        for it in judged
    ]
    assert system.users.unverify(elsewhere) == {key}
    assert system.users.unverified(judged) == {key}
    assert system.users.standings(elsewhere) == [Standing.UNVERIFIED]
    assert system.users.reverify(judged) == {key}


def test_it_is_refused_where_the_profile_only_reports(system: System) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    before = system.rows()
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the reader's role, or the profile: neither may
        system.reader.unverify(judged)
    assert "lapsed.com" not in str(raised.value)
    assert system.rows() == before
