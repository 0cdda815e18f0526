import os
import subprocess
import sys

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from lapsewatch.core.cadence import cohort_of
from lapsewatch.status_database.schema import ALEMBIC_INI, require_current_schema
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from local.checkout import ROOT
from tests.conftest import sqlalchemy_engine
from tests.e2e.conftest import connection_json
from tests.stages.conftest import rows


def test_the_documented_command_migrates_and_may_be_repeated(empty_database_url: str) -> None:
    command = [sys.executable, "-m", "alembic", "-c", "include/sql/migrations/alembic.ini", "upgrade", "head"]
    environment = os.environ | {"AIRFLOW_CONN_STATUS_DB": connection_json(empty_database_url)}
    for _ in range(2):
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    head = ScriptDirectory.from_config(Config(ALEMBIC_INI)).get_current_head()
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select version_num from lapsewatch.alembic_version").fetchone() == (head,)


def test_a_migrated_database_is_current(status: Engine) -> None:
    require_current_schema(status)


def test_every_table_view_and_column_is_explained(status: Engine) -> None:
    unexplained = rows(
        status,
        """
        select c.relname as table_name, a.attname as column_name
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum >= 0 and not a.attisdropped
        where c.relnamespace = 'lapsewatch'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
          and c.relname <> 'alembic_version'
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
        """,
    )
    assert unexplained == []


def test_lapses_from_before_they_had_a_table_are_carried_over(empty_database_url: str) -> None:
    engine = sqlalchemy_engine(empty_database_url)
    config = Config(ALEMBIC_INI)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                """
                insert into lapsewatch.domain_status
                    (domain, first_seen_at, next_check_at, checked_at, provider, flags, phase, verdict, reason,
                     lapsed_at, run_id)
                values ('open.com', now(), now(), now(), 'fastly', '{inactive}', 'released', 'unverify', 'gone',
                        '2026-11-01Z', 'old'),
                       ('over.com', now(), now(), now(), 'fastly', '{active}', 'active', 'keep', 'fine', null, 'old');
                insert into lapsewatch.address_unverification
                    (address_key, domain, lapsed_at, dry_run, host, run_id, state, reason, evidence, planned_at)
                values ('1', 'open.com', '2026-11-01Z', false, 'open.com', 'old', 'unverified', 'gone',
                        '{"phase": "released", "flags": ["inactive"]}', now()),
                       ('2', 'over.com', '2026-10-01Z', true, 'over.com', 'old', 'dry_run', 'gone',
                        '{"phase": "redemption", "flags": ["expiring"]}', now())
                """
            )
        )
        connection.commit()
        command.upgrade(config, "head")
    found = rows(
        engine, "select domain, phase, kind, ended_at is null as is_open from lapsewatch.domain_lapse order by 1"
    )
    assert found == [
        {"domain": "open.com", "phase": "released", "kind": "observed", "is_open": True},
        {"domain": "over.com", "phase": "redemption", "kind": "observed", "is_open": False},
    ]
    began = rows(engine, "select domain from lapsewatch.domain_status where adverse_since = lapsed_at")
    assert began == [{"domain": "open.com"}]
    engine.dispose()


def test_runs_from_before_they_had_a_plan_keep_what_was_planned_and_domains_get_their_cohort(
    empty_database_url: str,
) -> None:
    engine = sqlalchemy_engine(empty_database_url)
    config = Config(ALEMBIC_INI)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.execute(
            text(
                """
                select lapsewatch.create_domain_check_partition('2026-11-01Z');
                insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider)
                values ('one', 'a.com', '2026-11-01Z', 0, 'fastly'), ('one', 'b.com', '2026-11-01Z', 1, 'fastly'),
                       ('two', 'a.com', '2026-11-02Z', 0, 'fastly');
                insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at)
                values ('example.com', now(), now())
                """
            )
        )
        connection.commit()
        command.upgrade(config, "head")
    found = rows(
        engine, "select run_id, domain_count, batch_count, clear_number, recheck from lapsewatch.run_plan order by 1"
    )
    kept = {"clear_number": 0, "recheck": False}
    assert found == [
        {"run_id": "one", "domain_count": 2, "batch_count": 2} | kept,
        {"run_id": "two", "domain_count": 1, "batch_count": 1} | kept,
    ]
    assert rows(engine, "select cohort from lapsewatch.domain_status") == [{"cohort": cohort_of("example.com")}]
    engine.dispose()


def test_what_was_asked_before_there_were_sources_was_asked_of_the_status_api(empty_database_url: str) -> None:
    engine = sqlalchemy_engine(empty_database_url)
    config = Config(ALEMBIC_INI)
    history = "select history from lapsewatch.domain_history"
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
        connection.execute(
            text(
                """
                select lapsewatch.create_domain_check_partition('2026-11-01Z');
                insert into lapsewatch.domain_status
                    (domain, first_seen_at, next_check_at, checked_at, provider, flags, phase, verdict, expires_at)
                values ('a.com', now(), '2026-11-09Z', '2026-11-01Z', 'fastly', '{active}', 'active', 'keep',
                        '2027-01-01Z');
                insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider, checked_at)
                values ('one', 'a.com', '2026-11-01Z', 0, 'fastly', '2026-11-01Z'),
                       ('one', 'b.com', '2026-11-01Z', 1, 'fastly', null);
                insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count)
                values ('one', '2026-11-01Z', 0, false, 2, 2)
                """
            )
        )
        connection.commit()
        before = rows(engine, history)
        command.upgrade(config, "head")
    assert rows(engine, history) == before
    assert rows(engine, "select next_source, flags, provider from lapsewatch.domain_status") == [
        {"next_source": "status_api", "flags": ["active"], "provider": "fastly"}
    ]
    checks = rows(engine, "select domain, source, batch, provider, next_source from lapsewatch.domain_check order by 1")
    kept = {"source": "status_api", "provider": "fastly", "next_source": None}
    assert checks == [{"domain": "a.com", "batch": 0} | kept, {"domain": "b.com", "batch": 1} | kept]
    assert rows(engine, "select domain_count, api_interval from lapsewatch.run_plan") == [
        {"domain_count": 2, "api_interval": 30}
    ]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("update lapsewatch.domain_check set source = 'registry' where domain = 'b.com'"))
    with engine.begin() as connection:
        connection.execute(
            text(
                "select lapsewatch.create_domain_check_partition('2026-12-01Z');"
                " insert into lapsewatch.domain_check (run_id, domain, planned_at, source)"
                " values ('two', 'a.com', '2026-12-01Z', 'registry')"
            )
        )
    engine.dispose()


def test_times_have_a_zone(status: Engine) -> None:
    query = "select column_name from information_schema.columns where table_schema = 'lapsewatch'"
    assert rows(status, f"{query} and data_type = 'timestamp without time zone'") == []
    assert len(rows(status, f"{query} and data_type = 'timestamp with time zone'")) > 10


def test_checks_land_in_the_partition_of_their_month(status: Engine) -> None:
    with status.begin() as connection:
        for instant in ("2026-11-30 23:59:59+00", "2026-12-01 00:00:00+00", "2026-11-01 00:00:00+00"):
            connection.exec_driver_sql("select lapsewatch.create_domain_check_partition(%s)", (instant,))
            connection.exec_driver_sql(
                "insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider)"
                " values ('run', 'example.com', %s, 0, 'fastly')",
                (instant,),
            )
    query = """
        select part.relname as name, count(*)
        from lapsewatch.domain_check as checked
        join pg_class as part on part.oid = checked.tableoid
        group by 1
    """
    assert {row["name"]: row["count"] for row in rows(status, query)} == {
        "domain_check_2026_11": 2,
        "domain_check_2026_12": 1,
    }
