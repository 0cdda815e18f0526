from collections.abc import Callable

import psycopg
import pytest
from lapsewatch.core.errors import Unavailable
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.user_databases.database import UserDatabase, UserDatabaseError
from lapsewatch.user_databases.profile import load_profile
from sqlalchemy import Engine, create_engine

from tests.stages.conftest import RUN, rows

MALFORMED = {
    "nobody": "no_host",
    "nobody@": "no_host",
    "a@b@example.com": "several_at_signs",
    '"quoted"@example.com': "quoted_local_part",
    '"a@b"@example.com': "quoted_local_part",
    "user@[192.0.2.1]": "ip_literal",
    "user@192.0.2.1": "ip_literal",
    "user@localhost": "no_public_suffix",
    "user@co.uk": "public_suffix",
    f"user@{'a.' * 149}com": "host_too_long",
    "user@exa\nmple.com": "invalid_host",
    "user@exam ple.com": "invalid_host",
    "user@a_b.com": "invalid_host",
    "user@'; drop table user_emails; --": "invalid_host",
}


def test_hosts_become_domains_with_their_address_counts(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses("a@example.com", "b@EXAMPLE.com", "c@mail.example.com", "d@example.com.", "e@gmail.com")
    add_addresses("a@münchen.de", "b@xn--mnchen-3ya.de")
    add_addresses("never@unverified.com", verified=False)
    extract_domains(RUN, users, status)
    assert rows(status, "select domain, address_count from lapsewatch.domain_status order by 1") == [
        {"domain": "example.com", "address_count": 4},
        {"domain": "xn--mnchen-3ya.de", "address_count": 2},
    ]
    hosts = rows(status, 'select host from lapsewatch.email_host order by host collate "C"')
    assert [row["host"] for row in hosts] == [
        "example.com",
        "example.com.",
        "mail.example.com",
        "münchen.de",
        "xn--mnchen-3ya.de",
    ]


def test_the_malformed_are_counted_by_reason_and_stay_behind(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None]
) -> None:
    add_addresses(*MALFORMED, "good@example.com", "well@gmail.com")
    counts = extract_domains(RUN, users, status)
    expected: dict[str, int] = {}
    for reason in MALFORMED.values():
        expected[reason] = expected.get(reason, 0) + 1
    assert counts["set_aside"] == expected
    assert counts["address_count"] == len(MALFORMED) + 2
    assert counts["provider_address_count"] == 1
    assert [row["domain"] for row in rows(status, "select domain from lapsewatch.domain_status")] == ["example.com"]


def test_a_second_extraction_adds_only_what_is_new_and_empties_what_is_gone(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    add_addresses("a@old.com", "b@kept.com")
    extract_domains(RUN, users, status)
    first = rows(status, "select domain, first_seen_at from lapsewatch.domain_status where domain = 'kept.com'")
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails where email = 'a@old.com'")
    add_addresses("c@new.com")
    extract_domains(RUN, users, status)
    counts = rows(status, "select domain, address_count from lapsewatch.domain_status order by 1")
    assert [(row["domain"], row["address_count"]) for row in counts] == [
        ("kept.com", 1),
        ("new.com", 1),
        ("old.com", 0),
    ]
    assert first == rows(status, "select domain, first_seen_at from lapsewatch.domain_status where domain = 'kept.com'")


def test_a_user_database_that_breaks_off_changes_nothing_and_quotes_nothing(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None], user_url: str
) -> None:
    add_addresses("secret@example.com")
    with psycopg.connect(user_url) as connection:
        connection.execute("alter view lapsewatch.verified_email rename column host to domain")
    with pytest.raises(UserDatabaseError, match="UndefinedColumn") as raised:
        extract_domains(RUN, users, status)
    assert "secret" not in str(raised.value)
    assert rows(status, "select * from lapsewatch.domain_status") == []


def test_a_user_database_that_is_away_is_named(status: Engine) -> None:
    engine = create_engine("postgresql+psycopg://nobody:pass-word@127.0.0.1:9/nothing")
    with pytest.raises(Unavailable, match="'user_db'") as raised:
        extract_domains(RUN, UserDatabase(engine, load_profile("pypi")), status)
    assert "pass-word" not in str(raised.value)
