"""What Lapsewatch reads of users: hosts with their counts, keys, accounts. The same for every profile."""

from datetime import timedelta

import pytest
from lapsewatch.core.domains import classify_host
from lapsewatch.user_databases.database import SuspectHost

from tests.contracts.profiles.system import CHECKED_AT, LONG_AGO, System

HUGE = 10_000_000
HOSTILE = [
    "'; drop table users; --",
    "$(rm -rf ~)",
    "`id`.com",
    "http://lapsed.com/?q=1&r=2#x",
    "%s%(a)s:host.com",
    "a\\b.com",
    '[{"host": "lapsed.com"}]',
    "lapsed.com\nother.com",
    "lapsed.com ",
    "\u202egro.com",
]


def keys_on(system: System, *hosts: str) -> set[str]:
    return {it.address_key for it in system.judge(*hosts)}


def test_hosts_are_counted_in_lower_case(system: System) -> None:
    for email in ("One@Lapsed.COM", "two@lapsed.com", "three@other.org"):
        system.add(email)
    assert system.counts() == {"lapsed.com": 2, "other.org": 1}
    assert keys_on(system, "lapsed.com", "LAPSED.COM") == keys_on(system, "lapsed.com")
    assert len(keys_on(system, "lapsed.com")) == 2


def test_international_hosts_are_kept_as_they_are_written(system: System) -> None:
    hosts = ["münchen.example", "xn--mnchen-3ya.example", "munchen.example", "straße.example", "strasse.example"]
    keys = {host: system.add(f"{number}@{host}") for number, host in enumerate(hosts)}
    capital = system.add("else@MÜNCHEN.example")
    assert system.counts() == dict.fromkeys(hosts, 1) | {"münchen.example": 2}
    for host, key in keys.items():
        assert keys_on(system, host) == {key} | ({capital} if host == "münchen.example" else set())


def test_a_tag_in_the_local_part_makes_no_difference(system: System) -> None:
    keys = {system.add(email) for email in ("me@lapsed.com", "me+tag@lapsed.com", "me+@lapsed.com", "m.e@lapsed.com")}
    assert system.counts() == {"lapsed.com": 4}
    assert keys_on(system, "lapsed.com") == keys


def test_who_is_not_verified_is_not_seen(system: System) -> None:
    system.add("never@lapsed.com", verified=False)
    assert system.counts() == {}
    assert keys_on(system, "lapsed.com") == set()


def test_malformed_addresses_are_counted_and_never_found(system: System) -> None:
    for email in ("no-at-sign", "two@at@lapsed.com", '"quoted"@lapsed.com', "nobody@"):
        system.add(email)
    shapes = {it[:3]: it.address_count for it in system.users.hosts()}
    assert shapes[None, 0, False] == 1
    assert shapes["lapsed.com", 2, False] == 1
    assert shapes["lapsed.com", 1, True] == 1
    assert sum(shapes.values()) == 4
    assert keys_on(system, "lapsed.com") == set()


def test_no_address_is_no_address(system: System) -> None:
    good = system.add("good@lapsed.com")
    for nothing in system.absent:
        system.add(nothing)
    counts = system.counts()
    if system.profile.evidence == "columns":
        counts.pop(None, None)  # warehouse lets no empty address in: its profile does not ask
    assert counts == {"lapsed.com": 1}
    assert keys_on(system, "lapsed.com") == {good}


@pytest.mark.parametrize("host", HOSTILE)
def test_a_hostile_host_is_data(system: System, host: str) -> None:
    before = system.add("good@lapsed.com")
    key = system.add(f"x@{host}")
    counts = system.counts()
    assert counts == {host.lower(): 1, "lapsed.com": 1}
    for found in system.users.hosts():
        classify_host(found.host, at_sign_count=found.at_sign_count, is_quoted=found.is_quoted)
    judged = system.judge(host.lower())
    assert [it.address_key for it in judged] == [key]
    assert keys_on(system, "lapsed.com") == {before}
    assert system.users.unverify(judged) == {key}
    assert system.users.reverify(judged) == {key}
    assert system.counts() == counts


def test_a_huge_host_is_data(system: System) -> None:
    """The longest that the schema and its indexes take; others are judged beside it."""
    if system.longest < HUGE:
        with pytest.raises(system.refusals):
            system.add("x@" + "h" * (HUGE - 2))
    kept = system.add("x@" + "h" * (system.longest - 2))
    good = system.add("good@lapsed.com")
    by_host = {it.host: it for it in system.users.hosts()}
    (cut,) = by_host.keys() - {"lapsed.com"}
    assert cut == "h" * min(system.longest - 2, 255)
    assert {it.host for it in system.reader.sole_addresses()} == {cut, "lapsed.com"}
    assert [it.host for it in system.reader.sole_addresses(skipped_hosts=[cut])] == ["lapsed.com"]
    if system.profile.tells_other_addresses:
        (account,) = system.users.accounts_of([system.add("asked@lapsed.com", beside=kept)])
        assert [it.host for it in account.others] == [cut]
    huge = "h" * HUGE
    assert keys_on(system, huge) <= {kept}
    judged = system.judge(huge, "lapsed.com")
    assert good in system.users.unverify(judged)
    assert system.users.reverify(judged) >= {good}


def test_times_are_what_the_profile_says(system: System) -> None:
    told = system.profile.tells_verification_time
    key = system.add("dated@lapsed.com", at=LONG_AGO)
    (found,) = system.users.addresses_on([SuspectHost("lapsed.com", CHECKED_AT, unknown_too=True)])
    assert found.address_key == key
    assert found.host == "lapsed.com"
    if told == "no":
        assert found.verified_at is None
    else:
        assert found.verified_at is not None
        assert found.verified_at.utcoffset() is not None
        assert abs(found.verified_at - LONG_AGO) <= system.time_unit


def test_only_those_verified_before_are_found(system: System) -> None:
    old = system.add("old@lapsed.com", at=LONG_AGO)
    new = system.add("new@lapsed.com", at=LONG_AGO + timedelta(days=9))
    found = {
        unknown_too: {
            it.address_key
            for it in system.users.addresses_on(
                [SuspectHost("lapsed.com", LONG_AGO + timedelta(days=5), unknown_too=unknown_too)]
            )
        }
        for unknown_too in (True, False)
    }
    if system.profile.tells_verification_time == "no":
        assert found == {True: {old, new}, False: set()}
    else:
        assert found == {True: {old}, False: {old}}


def test_of_whom_nobody_knows_when_is_found_where_asked_for(system: System) -> None:
    if system.profile.tells_verification_time == "exact" or system.is_always_dated:
        return
    key = system.add("undated@lapsed.com")
    for unknown_too, expected in ((True, {key}), (False, set())):
        asked = [SuspectHost("lapsed.com", LONG_AGO, unknown_too=unknown_too)]
        assert {it.address_key for it in system.users.addresses_on(asked)} == expected


@pytest.mark.parametrize("time", ["-infinity", "infinity", "0044-03-15 12:00:00+00 BC", "0001-01-01 00:00:00+00"])
def test_a_time_that_is_none_is_unknown(system: System, time: str) -> None:
    if system.profile.tells_verification_time == "no":
        return
    odd, plain = system.add("odd@lapsed.com", at=LONG_AGO), system.add("plain@lapsed.com", at=CHECKED_AT)
    system.overwrite_times(LONG_AGO, time)
    before = system.rows()
    judged = system.judge("lapsed.com")
    assert {it.address_key: it.verified_at for it in judged if it.address_key == odd} == {odd: None}
    assert keys_on(system, "lapsed.com") == {odd}
    assert system.users.unverify(judged) == {odd}
    assert system.users.reverify(judged) == {odd}
    assert system.rows() == before
    assert plain


def test_each_host_is_asked_with_its_own_time(system: System) -> None:
    keys = {host: system.add(f"x@{host}", at=LONG_AGO) for host in ("a.com", "b.com")}
    asked = [
        SuspectHost("a.com", LONG_AGO + timedelta(days=1), unknown_too=True),
        SuspectHost("b.com", LONG_AGO - timedelta(days=1), unknown_too=True),
    ]
    expected = set(keys.values()) if system.profile.tells_verification_time == "no" else {keys["a.com"]}
    assert {it.address_key for it in system.users.addresses_on(asked)} == expected


def test_who_is_to_be_left_alone_is_not_seen(system: System) -> None:
    for state in system.left_alone:
        system.leave_alone(state, system.add(f"{state}@lapsed.com"))
    stays = system.add("stays@lapsed.com")
    assert system.counts() == {"lapsed.com": 1}
    assert keys_on(system, "lapsed.com") == {stays}
    assert {it.address_key for it in system.users.sole_addresses()} == {stays}


def test_accounts_that_hang_on_one_address(system: System) -> None:
    alone = system.add("alone@lapsed.com")
    system.add("skipped@mail.com")
    system.add("odd@two@lapsed.com")
    if system.profile.tells_other_addresses:
        system.add("second@other.org", beside=system.add("first@other.org"))
        system.add("never@other.org", beside=alone, verified=False)
    if system.profile.tells_second_factor:
        system.protect(alone)
    if system.profile.tells_popularity:
        system.own(alone, popular=True)
        system.own(alone, popular=False)
    (found,) = system.reader.sole_addresses(skipped_hosts=["mail.com"])
    assert (found.address_key, found.host) == (alone, "lapsed.com")
    assert found.has_second_factor is (True if system.profile.tells_second_factor else None)
    assert found.owns_popular is (True if system.profile.tells_popularity else None)
    assert found.owned_count in ({2} if system.profile.tells_popularity else {0, None})


def test_who_has_no_second_factor_and_owns_nothing(system: System) -> None:
    owner = system.add("owner@lapsed.com")
    bare = system.add("bare@lapsed.com")
    if system.profile.tells_popularity:
        system.own(owner, popular=True)
    found = {it.address_key: it for it in system.reader.sole_addresses()}[bare]
    assert found.has_second_factor is (False if system.profile.tells_second_factor else None)
    assert found.owns_popular is (False if system.profile.tells_popularity else None)
    assert found.owned_count in {0, None}


def test_who_can_be_told_about_an_address(system: System) -> None:
    asked = system.add("asked@lapsed.com")
    others = []
    if system.profile.tells_other_addresses:
        others = [system.add(email, beside=asked) for email in ("one@other.org", "two@other.org")]
        system.add("never@other.org", beside=asked, verified=False)
        system.add("odd@two@other.org", beside=asked)
    system.add("stranger@other.org")
    (account,) = system.users.accounts_of([asked])
    assert account.address_key == asked
    assert account.is_verified is True
    assert [it.address_key for it in account.others] == others
    assert {it.host for it in account.others} == ({"other.org"} if others else set())
    system.users.unverify(system.judge("lapsed.com"))
    (account,) = system.users.accounts_of([asked, "gone", "99999999999999999999999", ""])
    assert account.is_verified is False
    assert [it.address_key for it in account.others] == others


def test_the_primary_address_is_told_first(system: System) -> None:
    if not (system.profile.tells_other_addresses and system.profile.tells_primary):
        return
    primary = system.add("primary@lapsed.com")
    second = system.add("second@other.org", beside=primary)
    third = system.add("third@other.org", beside=primary)
    (account,) = system.users.accounts_of([third])
    assert [it.address_key for it in account.others] == [primary, second]
