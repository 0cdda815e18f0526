"""What an analyst may read, and that nothing else is let through."""

import psycopg
import pytest
from lapsewatch.status_database.statements import SQL_FOLDER
from psycopg import errors
from sqlalchemy import Engine

from local.checkout import ROOT
from tests.stages.conftest import rows

WITHHELD = {
    # Keys of addresses, and what is made of them.
    "account_at_risk": None,
    "accounts_at_risk": {"address_key"},
    "address_unverification": {"address_key"},
    "exemption": {"address_key"},
    "exemption_in_force": {"address_key"},
    "notification": {"notification_id", "event_key", "account_key", "payload", "subject", "body"},
    # How Lapsewatch works, which changes with it.
    "alembic_version": None,
    "budget_caller": None,
    "call_budget": None,
    "domain_check_partition": None,
    "domain_history": None,
    "extraction": None,
    "rdap_bootstrap": None,
    "rdap_server": None,
}
"""Columns that are not an analyst's to read, by table or view; None: all of them."""


def refused(url: str, statement: str) -> type[Exception] | None:
    """Try a statement; return the kind of the refusal, None where it was carried out (it is taken back)."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            return type(error)
        finally:
            connection.rollback()
    return None


def columns(status: Engine) -> list[tuple[str, str]]:
    found = rows(
        status,
        """
        select c.relname, a.attname
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'lapsewatch'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
        """,
    )
    return [(row["relname"], row["attname"]) for row in found]


def test_every_column_is_either_read_or_withheld(status: Engine, analyst_url: str) -> None:
    known = columns(status)
    assert WITHHELD.keys() <= {table for table, _ in known}
    found = {}
    with psycopg.connect(analyst_url, autocommit=True) as connection:
        for table, column in known:
            try:
                connection.execute(f"select {column} from lapsewatch.{table} limit 0")
                found[table, column] = "read"
            except errors.InsufficientPrivilege:
                found[table, column] = "withheld"

    def is_withheld(table: str, column: str) -> bool:
        names = WITHHELD.get(table, set())
        return names is None or column in names

    expected = {key: "withheld" if is_withheld(*key) else "read" for key in known}
    assert found == expected


def test_the_document_names_what_is_withheld() -> None:
    document = (ROOT / "docs" / "privileges.md").read_text()
    names = {name for table, withheld in WITHHELD.items() for name in (withheld or {table})}
    assert {name for name in names if f"`{name}`" not in document} == set()


def test_an_analyst_reads_and_waits_no_longer_than_told(analyst_url: str) -> None:
    with psycopg.connect(analyst_url) as connection:
        settings = "select current_setting('default_transaction_read_only'), current_setting('statement_timeout')"
        assert connection.execute(settings).fetchone() == ("on", "5min")
        connection.execute("set statement_timeout = 50")
        with pytest.raises(errors.QueryCanceled):
            connection.execute("select pg_sleep(60)")


TABLES = ["domain_status", "domain_check", "domain_lapse", "address_unverification", "exemption"]
WRITABLE = "set transaction read write;"
"""Whoever logs in can say this: only what is granted counts."""


@pytest.mark.parametrize("table", TABLES)
def test_nothing_can_be_written(table: str, analyst_url: str) -> None:
    for statement in (
        f"insert into lapsewatch.{table} default values",
        f"update lapsewatch.{table} set reason = 'mine'",
        f"delete from lapsewatch.{table}",
        f"truncate lapsewatch.{table}",
        f"drop table lapsewatch.{table}",
        f"alter table lapsewatch.{table} add column more text",
        f"lock table lapsewatch.{table} in exclusive mode",
    ):
        assert refused(analyst_url, WRITABLE + statement) is errors.InsufficientPrivilege, statement
    assert refused(analyst_url, f"delete from lapsewatch.{table}") is errors.ReadOnlySqlTransaction


@pytest.mark.parametrize(
    "statement",
    [
        "select * from lapsewatch.notification",
        "select * from lapsewatch.accounts_at_risk",
        "create table lapsewatch.mine (id integer)",
        "create view lapsewatch.mine as select 1",
        "create or replace view lapsewatch.coverage as select 1 as one",
        "create schema mine",
        "create role mine",
        "set role lapsewatch",
        "copy lapsewatch.domain_status to program 'cat'",
        "select lapsewatch.create_domain_check_partition(now())",
        "update lapsewatch.coverage set in_use_count = 0",
    ],
)
def test_anything_else_is_refused(statement: str, analyst_url: str) -> None:
    refusal = refused(analyst_url, WRITABLE + statement)
    assert refusal in {errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState}


def test_granting_again_changes_nothing_and_takes_back_what_is_not_listed(status_url: str, analyst_url: str) -> None:
    grants = (SQL_FOLDER / "analysts" / "grants.sql").read_bytes()

    def acls() -> list[tuple[object, ...]]:
        query = """
            select relname, relacl::text from pg_class where relnamespace = 'lapsewatch'::regnamespace
            union all
            select attrelid::regclass::text || attname, attacl::text from pg_attribute where attacl is not null
            order by 1, 2
        """
        with psycopg.connect(status_url) as connection:
            return connection.execute(query).fetchall()

    before = acls()
    with psycopg.connect(status_url) as connection:
        connection.execute("grant select on lapsewatch.notification to lapsewatch_analyst")
        connection.execute("grant select (address_key) on lapsewatch.exemption to lapsewatch_analyst")
        connection.execute(grants)
    assert acls() == before
    assert refused(analyst_url, "select body from lapsewatch.notification") is errors.InsufficientPrivilege
