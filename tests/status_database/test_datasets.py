"""What is exported, held against the database that migrations make, and against what readers of the files rely on."""

import hashlib
import json

from lapsewatch.status_database.datasets import read_declared
from sqlalchemy import Engine

from tests.stages.conftest import rows

KINDS = {
    "bigint": {"int64"},
    "boolean": {"bool"},
    "date": {"date"},
    "double precision": {"float64"},
    "integer": {"int64"},
    "jsonb": {"json"},
    "numeric": {"float64", "decimal(18, 3)"},
    "smallint": {"int64"},
    "text": {"string"},
    "text[]": {"list<string>"},
    "timestamp with time zone": {"timestamp"},
}
"""The kinds that hold what PostgreSQL's types hold."""

VERSIONS = {
    1: "a926f38d1b1096ed",
    2: "820be409718e4afd",
}
"""The schema of each version. Who changes it breaks what reads the files: raise `version` in `schema.toml`, add its
line here, and tell it in the changelog. Earlier lines stay."""


def test_every_table_view_and_column_is_exported_or_left_out_with_a_reason(status: Engine) -> None:
    declared = read_declared()
    found = rows(
        status,
        """
        select c.relname as name, a.attname as column, format_type(a.atttypid, null) as type
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'lapsewatch'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
        order by c.relname, a.attnum
        """,
    )
    by_hand = "change include/parquet/schema.toml as the migration has changed the database"
    left_out = {f"{row['name']}.{row['column']}" for row in found} | {row["name"] for row in found}
    assert declared.left_out.keys() <= left_out, by_hand
    wanted: dict[str, list[tuple[str, set[str]]]] = {}
    for row in found:
        if row["name"] not in declared.left_out and f"{row['name']}.{row['column']}" not in declared.left_out:
            wanted.setdefault(row["name"], []).append((row["column"], KINDS[row["type"]]))
    assert declared.datasets.keys() == wanted.keys(), by_hand
    for name, columns in wanted.items():
        assert list(declared.datasets[name]) == [column for column, _ in columns], f"{name}: {by_hand}"
        for column, kinds in columns:
            assert declared.datasets[name][column] in kinds, f"{name}.{column}: {by_hand}"


def test_no_key_of_an_account_or_address_is_exported() -> None:
    exported = {name for columns in read_declared().datasets.values() for name in columns}
    assert {
        name for name in exported if name.endswith("_key") or name in {"body", "payload", "subject", "raw"}
    } == set()


def test_the_schema_of_a_version_stays_as_it_is() -> None:
    declared = read_declared()
    # The order of columns counts, that of datasets does not.
    columns = json.dumps(sorted((name, list(kinds.items())) for name, kinds in declared.datasets.items()))
    digest = hashlib.sha256(columns.encode()).hexdigest()[:16]
    assert VERSIONS.get(declared.version) == digest, "the exported schema has changed: raise its version (see VERSIONS)"
