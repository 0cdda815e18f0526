"""Systems on PostgreSQL."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import psycopg

from tests.contracts.profiles.system import SCHEMAS, System

DAY = timedelta(days=1)


class PostgresqlSystem(System):
    refusals = (psycopg.Error,)
    times_a_scan: ClassVar = {"hosts": 60, "addresses": 60, "accounts": 150, "changes": 300}

    @classmethod
    def create(cls, database_url: str) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute((SCHEMAS / f"{cls.name}.sql").read_bytes())

    def tables(self) -> Iterable[str]:
        query = """
            select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
            where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'lapsewatch')
            order by 1
        """
        return [name for (name,) in self.connection.execute(query).fetchall()]

    def rows_of(self, table: str) -> Iterable[dict[str, Any]]:
        return [row for (row,) in self.connection.execute(f"select to_jsonb(it) from {table} as it").fetchall()]

    def overwrite_times(self, at: datetime, text: str) -> None:
        query = """
            select c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, null)
            from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.oid::regclass::text = any(%s) and a.attgenerated = ''
              and a.atttypid in ('timestamp'::regtype, 'timestamptz'::regtype)
        """
        for table, column, kind in self.connection.execute(query, [list(self.tables())]).fetchall():
            self.connection.execute(
                f"update {table} set {column} = '{text}'::{kind} where {column} between '{at - DAY}' and '{at + DAY}'"
            )

    def gather_statistics(self) -> None:
        self.connection.execute("analyze")
