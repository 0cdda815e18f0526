from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.stages.extract_accounts import extract_accounts
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from local import privileges
from tests.conftest import confirm_address
from tests.stages.conftest import AS_OF, RUN, Row, rows

Extract = Callable[..., int]


@pytest.fixture
def extract(users: UserDatabase, status: Engine) -> Extract:
    """Extracts domains and then accounts; returns how many accounts are at risk."""

    def run(run: Run = RUN) -> int:
        extract_domains(run, users, status)
        (count,) = extract_accounts(run, users, status).values()
        return int(count)

    return run


def owns(user_url: str, email: str, *projects: str, second_factor: str | None = None) -> None:
    """Gives projects to the account that holds an address, and a second factor."""
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select user_id from user_emails where email = %s", [email]).fetchone()
        for name in projects:
            connection.execute(
                "with made as (insert into projects (name, normalized_name) values (%s, %s) returning id)"
                " insert into roles (role_name, user_id, project_id) select 'Owner', %s, id from made",
                [name, name, found[0]],
            )
        if second_factor == "totp":
            connection.execute("update users set totp_secret = 'secret' where id = %s", [found[0]])
        if second_factor == "key":
            keys = "insert into user_security_keys (user_id, label, credential_id) values (%s, %s, %s)"
            connection.cursor().executemany(keys, [(found[0], label, f"{label}{email}") for label in ("one", "two")])


def at_risk(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.account_at_risk order by host")


def hosts(status: Engine) -> list[str]:
    return [row["host"] for row in at_risk(status)]


def test_an_account_is_at_risk_whose_only_verified_address_is_on_a_custom_domain(
    add_addresses: Callable[..., None], extract: Extract, status: Engine, user_url: str
) -> None:
    add_addresses("a@mail.custom.com")
    add_addresses("Sole@UPPER.org")
    add_addresses("one@two.com", "other@two.com")
    add_addresses("mixed@custom.net", "mixed@gmail.com")
    add_addresses("provider@gmail.com")
    add_addresses("never@custom.org", verified=False)
    add_addresses('"quoted"@custom.com')
    add_addresses("two@signs@custom.com")
    assert extract() == 2
    with psycopg.connect(user_url) as connection:
        query = "select user_id::text, id::text from user_emails where email = 'a@mail.custom.com'"
        account, address = connection.execute(query).fetchone()
    found = at_risk(status)
    assert [(row["host"], row["domain"]) for row in found] == [
        ("mail.custom.com", "custom.com"),
        ("upper.org", "upper.org"),
    ]
    assert (found[0]["account_key"], found[0]["address_key"]) == (account, address)
    assert "@" not in str(found)


def test_an_unverified_second_address_is_no_way_out(
    add_addresses: Callable[..., None], extract: Extract, status: Engine, user_url: str
) -> None:
    add_addresses("a@custom.com", "a@gmail.com")
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = false where email = 'a@gmail.com'")
    assert extract() == 1
    confirm_address(user_url, "a@gmail.com", AS_OF)
    assert extract() == 0
    assert at_risk(status) == []


def test_who_is_gone_or_moved_is_replaced(
    add_addresses: Callable[..., None], extract: Extract, status: Engine, user_url: str
) -> None:
    for email in ("a@gone.com", "a@moved.com", "a@left.com", "a@stays.com"):
        add_addresses(email)
    assert extract() == 4
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails where email = 'a@gone.com'")
        connection.execute("update user_emails set email = 'a@new.com' where email = 'a@moved.com'")
        connection.execute("update user_emails set email = 'a@gmail.com' where email = 'a@left.com'")
    later = AS_OF + timedelta(days=1)
    assert extract(replace(RUN, clock=lambda: later)) == 2
    # Who stays as before is not written again.
    assert [(row["host"], row["domain"], row["seen_at"] == later) for row in at_risk(status)] == [
        ("new.com", "new.com", True),
        ("stays.com", "stays.com", False),
    ]


def test_a_dry_run_and_a_repetition_know_the_same(
    add_addresses: Callable[..., None], extract: Extract, status: Engine
) -> None:
    add_addresses("a@custom.com")
    run = replace(RUN, clock=lambda: AS_OF)
    assert extract(replace(run, dry_run=True)) == 1
    before = at_risk(status)
    assert extract(run) == 1
    assert at_risk(status) == before


def test_what_protects_an_account_and_what_hangs_on_it(
    add_addresses: Callable[..., None], extract: Extract, status: Engine, user_url: str
) -> None:
    for name in ("both", "key", "none", "totp"):
        add_addresses(f"a@{name}.com")
    owns(user_url, "a@both.com", "first", second_factor="totp")
    owns(user_url, "a@both.com", "second", second_factor="key")
    owns(user_url, "a@key.com", second_factor="key")
    owns(user_url, "a@totp.com", "third", second_factor="totp")
    extract()
    told = [(row["host"], row["has_second_factor"], row["owned_count"]) for row in at_risk(status)]
    assert told == [("both.com", True, 2), ("key.com", True, 0), ("none.com", False, 0), ("totp.com", True, 1)]
    # Nobody has said yet what is popular.
    assert {row["owns_popular"] for row in at_risk(status)} == {None}
    privileges.list_popular(user_url, ["third"])
    extract()
    popular = {row["host"]: row["owns_popular"] for row in at_risk(status)}
    assert popular == {"both.com": False, "key.com": False, "none.com": False, "totp.com": True}


def test_the_most_pressing_come_first(
    add_addresses: Callable[..., None], extract: Extract, status: Engine, user_url: str
) -> None:
    kinds: dict[str, tuple[list[str], str | None]] = {
        "lapsed": ([], "key"),
        "stolen": ([], "totp"),
        "watched-popular": (["celebrated"], "key"),
        "expired": (["e"], None),
        "popular": (["known"], "totp"),
        "busy": (["b1", "b2"], None),
        "idle": (["i"], None),
        "twin": (["t"], None),
        "safe": (["s1", "s2", "s3"], "key"),
    }
    for name, (projects, second_factor) in kinds.items():
        add_addresses(f"a@{name}.com")
        owns(user_url, f"a@{name}.com", *projects, second_factor=second_factor)
    privileges.list_popular(user_url, ["celebrated", "known"])
    extract()
    with status.begin() as connection:
        for change, domain in (
            ("verdict = 'unverify', phase = 'redemption', lapsed_at = now()", "lapsed"),
            # Registered by somebody else, the domain looks perfectly alive; its lapse is still open.
            ("verdict = 'keep', phase = 'active', lapsed_at = now()", "stolen"),
            ("verdict = 'watch', phase = 'held', checked_at = now()", "watched-popular"),
            ("verdict = 'keep', phase = 'expired', expired_since = now()", "expired"),
            ("expires_at = '2027-01-01Z'", "popular"),
        ):
            connection.execute(text(f"update lapsewatch.domain_status set {change} where domain = '{domain}.com'"))
    ranked = rows(status, "select * from lapsewatch.accounts_at_risk order by risk_rank, host")
    assert [(row["risk_rank"], row["host"].removesuffix(".com")) for row in ranked] == [
        (1, "lapsed"),
        (1, "stolen"),
        (3, "watched-popular"),
        (4, "expired"),
        (5, "popular"),
        (6, "busy"),
        (7, "idle"),
        (7, "twin"),
        (9, "safe"),
    ]
    assert [row["phase"] for row in ranked][:4] == ["redemption", "active", "held", "expired"]
    assert ranked[4]["expires_at"] is not None


def test_what_is_not_known_does_not_press(extract: Extract, add_addresses: Callable[..., None], status: Engine) -> None:
    for name in ("unknown", "weak", "strong"):
        add_addresses(f"a@{name}.com")
    extract()
    with status.begin() as connection:
        for change, domain in (
            ("has_second_factor = null, owned_count = null, owns_popular = null", "unknown"),
            ("has_second_factor = true", "strong"),
        ):
            connection.execute(text(f"update lapsewatch.account_at_risk set {change} where domain = '{domain}.com'"))
    query = "select domain from lapsewatch.accounts_at_risk order by risk_rank"
    assert [row["domain"] for row in rows(status, query)] == ["weak.com", "strong.com", "unknown.com"]
