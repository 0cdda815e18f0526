import re
from datetime import timedelta

import idna
import psycopg
import pytest

from simulator.lives import Life
from simulator.malformed import KINDS
from simulator.rates import RATES
from simulator.user_database import seed
from simulator.world import World

from .conftest import EPOCH

# What makes an address malformed, told by looking at it.
SIGNS = {
    "no at sign": r"[^@]+",
    "several at signs": r'[^"@]+@[^@]+@[^@]+',
    "quoted local part": r'"[^@]+"@[^@]+',
    "quoted at sign": r'"[^"]*@[^"]*"@[^@]+',
    "IP literal": r".+@\[192\.0\.2\.1\]",
    "empty host": r".+@",
    "localhost": r".+@localhost",
    "public suffix": r".+@co\.uk",
    "300-character host": r"[^@]+@[^@]{300}",
    "control character": r"(?s)[^@]+@.*[\x00-\x1f\x7f].*",
    "space": r"[^@]+@[^@]* [^@]*",
    "underscore": r"[^@]+@[^@]*_[^@]*",
    "invalid U-label": r"[^@]+@.*[^\x00-\x7f].*",
    "invalid A-label": r"[^@]+@xn--.*",
}


@pytest.fixture(scope="module")
def small_world() -> World:
    return World("seeding", 1500, EPOCH)


def rows(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def is_invalid(host: str) -> bool:
    try:
        idna.encode(host, uts46=True)
    except idna.IDNAError:
        return True
    return False


def test_it_fills_the_database_with_the_world(empty_database_url, small_world):
    seeded = seed(empty_database_url, small_world)
    held = [address for account in small_world.accounts for address in account.addresses]
    assert seeded.accounts == 1500
    assert seeded.addresses == len(held) > 1600
    counts = rows(
        empty_database_url,
        """SELECT (SELECT count(*) FROM users),
                  (SELECT count(*) FROM user_emails),
                  (SELECT count(*) FROM user_emails WHERE verified),
                  (SELECT count(*) FROM user_events)""",
    )
    assert counts == [(seeded.accounts, seeded.addresses, seeded.verified_addresses, seeded.events)]
    stored = rows(empty_database_url, "SELECT email, verified, unverify_reason FROM user_emails")
    assert sorted(stored, key=str) == sorted(
        ((address.email, address.verified, address.unverify_reason) for address in held), key=str
    )
    assert 0.9 < seeded.verified_addresses / seeded.addresses < 0.97


def test_every_account_has_one_primary_address_and_some_have_several(empty_database_url, small_world):
    seed(empty_database_url, small_world)
    primaries = rows(
        empty_database_url,
        'SELECT count(*) FILTER (WHERE "primary"), count(*) FROM user_emails GROUP BY user_id',
    )
    assert {count for count, _ in primaries} == {1}
    assert {1, 2, 3} <= {count for _, count in primaries}


def test_verifications_are_recorded_as_far_back_as_events_reach(empty_database_url, small_world):
    seeded = seed(empty_database_url, small_world)
    recorded = dict(
        rows(
            empty_database_url,
            """SELECT additional->>'email', time FROM user_events
               JOIN user_emails ON email = additional->>'email' AND user_id = source_id
               WHERE tag = 'account:email:verified'""",
        )
    )
    earliest = EPOCH - timedelta(days=RATES.events_reach_back_days)
    expected = {
        address.email: address.verified_at.replace(tzinfo=None)
        for account in small_world.accounts
        for address in account.addresses
        if address.verified_at and address.verified_at >= earliest
    }
    assert recorded == expected
    assert 0.3 * seeded.addresses < len(recorded) < 0.8 * seeded.addresses


def test_a_verification_that_a_world_by_hand_dates_is_on_record_however_old(empty_database_url):
    at = EPOCH - timedelta(days=RATES.events_reach_back_days + 700)
    lives = dict.fromkeys(["one.com", "two.com"], Life.active(expires=EPOCH, registered=at - timedelta(days=60)))
    seed(empty_database_url, World.of(lives, EPOCH, verified_at={"one.com": at}))
    events = "SELECT additional->>'email', tag, time FROM user_events ORDER BY time"
    naive = at.replace(tzinfo=None)
    assert rows(empty_database_url, events) == [
        ("owner@one.com", "account:email:add", naive - timedelta(minutes=5)),
        ("owner@one.com", "account:email:verified", naive),
    ]
    seed(empty_database_url, World.of(lives, EPOCH))
    assert rows(empty_database_url, events) == []


def test_each_kind_of_malformed_address_is_there(empty_database_url, small_world):
    seed(empty_database_url, small_world)
    valid = set(small_world.domains_by_host)
    malformed = [
        email
        for (email,) in rows(empty_database_url, "SELECT email FROM user_emails")
        if email.count("@") != 1 or '"' in email or email.partition("@")[2] not in valid
    ]
    assert len(malformed) == len(KINDS)
    assert SIGNS.keys() == KINDS.keys()
    for kind, sign in SIGNS.items():
        assert [email for email in malformed if re.fullmatch(sign, email)], kind
    for kind in ("invalid U-label", "invalid A-label"):
        (email,) = (email for email in malformed if re.fullmatch(SIGNS[kind], email))
        assert is_invalid(email.partition("@")[2])


def test_the_share_of_malformed_addresses_in_the_demo(demo_world):
    emails = [address.email for account in demo_world.accounts for address in account.addresses]
    malformed = [email for email in emails if email.rpartition("@")[2] not in demo_world.domains_by_host]
    assert 0.002 < len(malformed) / len(emails) < 0.004


def test_seeding_again_replaces_its_own_tables_and_leaves_others(empty_database_url):
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE keepsake AS SELECT 42 AS answer")
    world = World.of({"one.com": Life.active(expires=EPOCH)}, EPOCH)
    first = seed(empty_database_url, World("before", 50, EPOCH))
    assert seed(empty_database_url, world).addresses == 1 < first.addresses
    assert rows(empty_database_url, "SELECT email, verified FROM user_emails") == [("owner@one.com", True)]
    assert rows(empty_database_url, "SELECT answer FROM keepsake") == [(42,)]


def test_the_schema_takes_what_an_unverification_writes(empty_database_url):
    seed(empty_database_url, World.of({"one.com": Life.active(expires=EPOCH)}, EPOCH))
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            """UPDATE user_emails SET verified = false, unverify_reason = 'domain status invalid',
                      domain_last_checked = now(), domain_last_status = ARRAY['undelegated', 'inactive']"""
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(
                """INSERT INTO user_emails (user_id, email, "primary", verified)
                   SELECT user_id, email, false, false FROM user_emails"""
            )


def test_second_factors_and_projects_are_stored_as_warehouse_keeps_them(empty_database_url, small_world):
    seed(empty_database_url, small_world)
    stored = rows(
        empty_database_url,
        """SELECT username, totp_secret IS NOT NULL,
                  EXISTS (SELECT FROM user_security_keys WHERE user_id = users.id),
                  (SELECT count(*) FROM roles WHERE user_id = users.id AND role_name = 'Owner'),
                  (SELECT count(*) FROM roles WHERE user_id = users.id AND role_name = 'Maintainer')
           FROM users""",
    )
    expected = [
        (
            account.username,
            account.second_factor == "one-time passwords",
            account.second_factor == "security key",
            len(account.owns),
            len(account.maintains),
        )
        for account in small_world.accounts
    ]
    assert sorted(stored) == sorted(expected)
    assert {secret for _, secret, *_ in stored} == {key for _, _, key, *_ in stored} == {True, False}
    owners = rows(
        empty_database_url, "SELECT count(*) FILTER (WHERE role_name = 'Owner') FROM roles GROUP BY project_id"
    )
    assert {count for (count,) in owners} == {1}
    names = {name for (name,) in rows(empty_database_url, "SELECT normalized_name FROM projects")}
    assert set(small_world.popular_projects) <= names


def test_belongings_are_as_common_as_assumed(demo_world):
    accounts = demo_world.accounts
    projects = sum(len(account.owns) for account in accounts)
    assert 0.48 < sum(account.second_factor is None for account in accounts) / len(accounts) < 0.52
    assert 0.58 < sum(not account.owns for account in accounts) / len(accounts) < 0.62
    assert 0.04 < sum(bool(account.maintains) for account in accounts) / len(accounts) < 0.06
    assert 0.005 < len(demo_world.popular_projects) / projects < 0.015
