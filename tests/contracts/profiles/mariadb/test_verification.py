"""What `lapsewatch profile verify` finds in a real MariaDB."""

from collections.abc import Callable

import pytest
from lapsewatch.core.errors import Unavailable
from lapsewatch.user_databases.profile import PROFILES_FOLDER
from lapsewatch.user_databases.verification.finding import Finding, Weight
from lapsewatch.user_databases.verification.looks import look_at
from sqlalchemy import create_engine

from local import mariadb, privileges
from tests.contracts.profiles.mariadb.conftest import SERVICE, login_url
from tests.contracts.profiles.system import System

Verify = Callable[..., list[Finding]]


@pytest.fixture
def verify(system: System, mariadb_server: mariadb.Server) -> Verify:
    def verify(login: str = "root", timeout: float = 60) -> list[Finding]:
        url = login_url(mariadb_server, login)
        engine = create_engine(url.replace("/lapsewatch?", f"/{SERVICE}?") if login == "root" else url)
        try:
            return list(look_at(engine, system.profile, timeout=timeout))
        finally:
            engine.dispose()

    return verify


def texts(found: list[Finding], weight: Weight) -> list[str]:
    return [it.text for it in found if it.weight is weight]


def test_the_profile_suits_the_schema_that_it_was_written_for(system: System, verify: Verify) -> None:
    system.add("a@host.example")
    found = verify()
    assert texts(found, Weight.PROBLEM) == []
    assert texts(found, Weight.NOTE) == []
    assert found[-1].text.endswith(" seconds: 1 row for 1 address")
    explained = [it.text.partition(" reads ")[0] for it in found if " reads " in it.text]
    assert {"select_hosts", "select_addresses", "select_recipients", "select_standings"} <= set(explained)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("drop view lapsewatch.verified_email", "select_hosts: something that it needs is not there"),
        ("drop database lapsewatch", "the schema lapsewatch is not there"),
        ("alter database lapsewatch comment 'older'", "the schema lapsewatch was made by another version"),
        ("alter table maintainers_packages drop key IDX_user", "no index begins with maintainers_packages(user_id)"),
        ("alter table fos_user drop column totpSecret", "fos_user has no column totpSecret"),
        ("alter table fos_user modify enabled varchar(5)", "fos_user.enabled is varchar, and not tinyint"),
        ("revoke select on lapsewatch.account from lapsewatch_reader", "lapsewatch_reader may not select"),
        (
            (
                "create or replace view lapsewatch.account as select 1 as account_key, 0 as has_second_factor,"
                " 0 as owned_count, 0 as owns_popular union all select 1, 0, 0, 1"
            ),
            "1 row of lapsewatch.account without a key, or with the key of another row",
        ),
        (
            "revoke execute on procedure lapsewatch.unverify_addresses from lapsewatch_unverifier",
            "lapsewatch_unverifier may not execute lapsewatch.unverify_addresses",
        ),
        (
            f"grant select (email) on {SERVICE}.fos_user to lapsewatch_reader",
            "lapsewatch_reader may select fos_user (email)",
        ),
        (
            "grant select (address_digest) on lapsewatch.unverification to lapsewatch_unverifier",
            "may select lapsewatch.unverification (address_digest, address_key, checked_at, flags,",
        ),
        (
            f"grant update on `{SERVICE[:-1]}_`.* to lapsewatch_unverifier",
            "lapsewatch_unverifier may update fos_user",
        ),
        (f"grant update on {SERVICE}.* to lapsewatch_unverifier", "lapsewatch_unverifier may update fos_user"),
        (
            "grant create temporary tables on lapsewatch.* to lapsewatch_reader",
            "lapsewatch_unverifier may create temporary tables in lapsewatch, which it is not to",
        ),
        (
            "grant create routine on *.* to lapsewatch_unverifier",
            f"may create routine in lapsewatch, in {SERVICE}, which",
        ),
        (
            "grant create temporary tables on *.* to lapsewatch_reader",
            "lapsewatch_reader may create temporary tables in",
        ),
        ("grant delete on *.* to lapsewatch_unverifier", "lapsewatch_unverifier may delete fos_user"),
    ],
)
def test_what_is_wrong_is_said(
    system: System, verify: Verify, mariadb_server: mariadb.Server, change: str, says: str
) -> None:
    assert texts(verify(), Weight.PROBLEM) == []
    mariadb_server.run(f"{change};", SERVICE)
    try:
        assert any(says in it for it in texts(verify(), Weight.PROBLEM))
    finally:
        mariadb_server.run(
            "revoke all privileges, grant option from lapsewatch_reader;"
            " revoke all privileges, grant option from lapsewatch_unverifier;"
        )


@pytest.mark.parametrize(
    ("change", "weight", "says"),
    [
        (
            f"grant select (email), update on {SERVICE}.fos_user to {privileges.UNVERIFIER}",
            Weight.PROBLEM,
            "which has been given lapsewatch_unverifier, may besides select fos_user (email); update fos_user",
        ),
        (
            f"grant create temporary tables on lapsewatch.* to {privileges.UNVERIFIER}",
            Weight.PROBLEM,
            f"{privileges.UNVERIFIER}, which has been given lapsewatch_unverifier, may besides create temporary",
        ),
        (
            "create user helper; grant lapsewatch_unverifier to helper",
            Weight.NOTE,
            "lapsewatch_unverifier has been given",
        ),
        (
            "create user helper; grant insert on lapsewatch.unverification to helper",
            Weight.PROBLEM,
            "helper may insert lapsewatch.unverification",
        ),
        (
            "create user helper; grant execute on procedure lapsewatch.reverify_address to helper",
            Weight.PROBLEM,
            "helper may execute lapsewatch.reverify_address",
        ),
        (
            "create user helper; grant update on `lapse%`.* to helper",
            Weight.PROBLEM,
            "helper may update in the database",
        ),
        (
            "create user helper; grant drop, create view on lapsewatch.* to helper",
            Weight.PROBLEM,
            "helper may create view in the database lapsewatch; drop in the database lapsewatch",
        ),
        (
            "create user helper; grant trigger on lapsewatch.unverification to helper",
            Weight.PROBLEM,
            "helper may trigger lapsewatch.unverification",
        ),
        ("create user helper; grant alter on *.* to helper", Weight.PROBLEM, "helper may alter in every database"),
        (
            f"grant create, drop on lapsewatch.* to {privileges.UNVERIFIER}",
            Weight.PROBLEM,
            "may besides create in lapsewatch; drop lapsewatch.account,",
        ),
        (
            f"grant alter on {SERVICE}.fos_user to {privileges.UNVERIFIER}",
            Weight.PROBLEM,
            "may besides alter fos_user",
        ),
        (
            (
                "create or replace sql security invoker view lapsewatch.verified_email as"
                " select 'h' as host, 1 as at_sign_count, 0 as is_quoted"
            ),
            Weight.NOTE,
            "plans and hosts are not looked at: what root@",
        ),
        ("create user helper; grant delete on *.* to helper", Weight.PROBLEM, "helper may delete in every database"),
        ("create user helper; grant select on lapsewatch.address to helper", Weight.NOTE, "helper may select"),
        (
            (
                "create or replace definer = gone@localhost view lapsewatch.verified_email as"
                " select 'h' as host, 1 as at_sign_count, 0 as is_quoted"
            ),
            Weight.PROBLEM,
            "select_hosts: something that it needs is not there",
        ),
    ],
)
def test_what_others_may_do_is_said(
    system: System, verify: Verify, mariadb_server: mariadb.Server, change: str, weight: Weight, says: str
) -> None:
    assert not any(it.weight is not Weight.GOOD for it in verify() if "verified address" not in it.text)
    mariadb_server.run(f"{change};", SERVICE)
    try:
        assert any(says in it for it in texts(verify(), weight))
    finally:
        mariadb_server.run(
            f"drop user if exists helper; revoke all privileges, grant option from {privileges.UNVERIFIER};"
            f" grant lapsewatch_unverifier to {privileges.UNVERIFIER};"
        )


def test_what_a_login_of_lapsewatchs_own_cannot_see_is_said(system: System, verify: Verify) -> None:
    system.add("a@host.example")
    found = verify(privileges.UNVERIFIER)
    assert "what the roles may do: not seen, this login has no right to" in texts(found, Weight.NOTE)
    assert "the schema lapsewatch was made by this version of the script" in texts(found, Weight.GOOD)
    assert found[-1].text.endswith(" seconds: 1 row for 1 address")


def test_nothing_is_changed(system: System, verify: Verify) -> None:
    system.add("a@host.example")
    before = system.rows()
    verify()
    verify(privileges.UNVERIFIER)
    assert system.rows() == before
    assert system.execute("select count(*) from lapsewatch.unverification") == 0


def test_a_wrong_password_is_told_without_a_word_of_the_drivers(system: System, mariadb_server: mariadb.Server) -> None:
    url = login_url(mariadb_server, privileges.READER).replace(mariadb_server.password, "wrong")
    engine = create_engine(url)
    with pytest.raises(Unavailable) as raised:
        list(look_at(engine, system.profile, timeout=5))
    assert raised.value.__cause__ is None
    assert "wrong" not in str(raised.value)
    engine.dispose()


def test_a_new_profile_suits_the_table_that_it_begins_with(system: System, mariadb_server: mariadb.Server) -> None:
    parts = [it.read_text() for it in system.profile.files() if it.name.startswith("grants")]
    roles, before, _, after = parts
    begun = (PROFILES_FOLDER / "skeleton" / "mariadb" / "grants.sql").read_text()
    mariadb_server.run(
        "drop database lapsewatch; create table users (id bigint primary key, email varchar(255),"
        " email_verified boolean not null, is_active boolean not null);"
        " insert into users values (1, 'a@lapsed.com', true, true), (2, 'b@lapsed.com', true, false);",
        SERVICE,
    )
    mariadb_server.run("\n".join([roles, before, begun, after]), SERVICE)
    assert list(system.rows_of("lapsewatch.verified_email")) == [
        {"host": "lapsed.com", "at_sign_count": 1, "is_quoted": 0}
    ]
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == {"1"}
    assert system.users.reverify(judged) == {"1"}
