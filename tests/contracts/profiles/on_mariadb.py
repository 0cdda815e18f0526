"""Systems on MariaDB."""

from collections.abc import Iterable
from typing import Any, ClassVar

import pymysql

from tests.contracts.profiles.system import System


class MariadbSystem(System):
    refusals = (pymysql.Error,)
    times_a_scan: ClassVar = {"hosts": 100, "addresses": 100, "accounts": 400, "changes": 300}

    def tables(self) -> Iterable[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("show full tables where table_type = 'BASE TABLE'")
            return [row[0] for row in cursor.fetchall()]

    def rows_of(self, table: str) -> Iterable[dict[str, Any]]:
        with self.connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(f"select * from {table}")
            return list(cursor.fetchall())

    def gather_statistics(self) -> None:
        for table in self.tables():
            self.execute(f"analyze table {table}")
