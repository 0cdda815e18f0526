import os
import subprocess
import sys

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from lapsewatch.status_database.schema import ALEMBIC_INI, require_current_schema
from sqlalchemy import Engine

from local.checkout import ROOT
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


def test_every_table_and_column_is_explained(status: Engine) -> None:
    unexplained = rows(
        status,
        """
        select c.relname as table_name, a.attname as column_name
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum >= 0 and not a.attisdropped
        where c.relnamespace = 'lapsewatch'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname <> 'alembic_version'
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
        """,
    )
    assert unexplained == []


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
