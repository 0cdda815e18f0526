"""What a data lake takes away: tables and views as Arrow record batches, in the columns that `schema.toml` declares."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import Copy, sql
from pyarrow import csv
from sqlalchemy import Connection

from lapsewatch.core.errors import Unavailable
from lapsewatch.status_database.statements import SQL_FOLDER, statement

SCHEMA_FILE = SQL_FOLDER.parent / "parquet" / "schema.toml"

BYTES_PER_BATCH = 8 * 1024**2
"""So much of a copy is turned into a batch at a time: some ten thousand rows, which become a row group."""

LIST = pa.list_(pa.string())
TIMESTAMP = pa.timestamp("us", tz="UTC")

TYPES: Mapping[str, pa.DataType] = {
    "bool": pa.bool_(),
    "date": pa.date32(),
    "decimal(18, 3)": pa.decimal128(18, 3),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "json": pa.string(),
    "list<string>": LIST,
    "string": pa.string(),
    "timestamp": TIMESTAMP,
}
"""What the kinds of columns in `schema.toml` are in Arrow."""

# As what a column is copied, where its own text can't be read: lists, and years after 9999, which registries do name.
# A time that is infinite, as people may write it for one that never comes, is none.
_COPIED = {
    "list<string>": (sql.SQL("to_json({column}) as {column}"), pa.string()),
    "timestamp": (
        sql.SQL(
            "case when isfinite({column}) then cast(extract(epoch from {column}) * 1000000 as bigint) end as {column}"
        ),
        pa.int64(),
    ),
}

PARTITIONED = "domain_check"


@dataclass(frozen=True, slots=True)
class Declared:
    """The datasets with their columns and kinds, and which tables and columns are left out, and why."""

    version: int
    datasets: Mapping[str, Mapping[str, str]]
    left_out: Mapping[str, str]

    def schema(self, dataset: str) -> pa.Schema:
        """Return the Arrow schema of a dataset; its metadata tells the version."""
        fields = [(name, TYPES[kind]) for name, kind in self.datasets[dataset].items()]
        return pa.schema(fields, metadata={"lapsewatch.schema_version": str(self.version)})


def read_declared() -> Declared:
    """Read `schema.toml`."""
    return Declared(**tomllib.loads(SCHEMA_FILE.read_text()))


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes a file: a dataset, or the checks that were planned in one month (its first day, UTC)."""

    dataset: str
    month: date | None = None

    @property
    def path(self) -> PurePosixPath:
        """Where its file belongs, with the month as Hive would have it."""
        folder = PurePosixPath(self.dataset)
        return (folder / f"month={self.month:%Y-%m}" if self.month else folder) / "part-0.parquet"


def parts(connection: Connection, declared: Declared) -> list[Part]:
    """Return what the datasets consist of as the database stands; each is at least one part, if an empty one."""
    months = connection.scalars(statement("select_check_months")).all()
    return [
        part
        for dataset in declared.datasets
        for part in ([Part(dataset, month) for month in months] if dataset == PARTITIONED else [Part(dataset)])
    ]


def batches(connection: Connection, declared: Declared, part: Part) -> Iterator[pa.RecordBatch]:
    """Stream the rows of a part.

    As CSV, which PostgreSQL writes and Arrow reads in a tenth of the time that it takes to make objects of them.
    """
    kinds = declared.datasets[part.dataset]
    schema = declared.schema(part.dataset)
    copied_types = {name: _COPIED[kind][1] if kind in _COPIED else TYPES[kind] for name, kind in kinds.items()}
    with _copied(connection, _query(kinds, part)) as rows:
        for text in _gathered(rows):
            table = csv.read_csv(
                pa.py_buffer(text),
                # One block, however large its rows are: Arrow does not read a row that goes on beyond the next one.
                read_options=csv.ReadOptions(column_names=list(kinds), block_size=len(text), use_threads=False),
                parse_options=csv.ParseOptions(newlines_in_values=True),
                # PostgreSQL leaves a null empty, and quotes an empty string.
                convert_options=csv.ConvertOptions(
                    column_types=copied_types,
                    null_values=[""],
                    true_values=["t"],
                    false_values=["f"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
            for batch in table.to_batches():
                columns = [
                    _lists(values) if kind == LIST else values.cast(kind)
                    for values, kind in zip(batch, schema.types, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _lists(texts: pa.StringArray) -> pa.ListArray:
    """Return the lists that JSON arrays stand for; they are few, and each is read once."""
    encoded = texts.dictionary_encode()
    return pa.array([json.loads(text) for text in encoded.dictionary.to_pylist()], LIST).take(encoded.indices)


def _query(kinds: Mapping[str, str], part: Part) -> sql.Composed:
    columns = [
        (_COPIED[kind][0] if kind in _COPIED else sql.SQL("{column}")).format(column=sql.Identifier(name))
        for name, kind in kinds.items()
    ]
    query = sql.SQL("select {} from {}").format(sql.SQL(", ").join(columns), sql.Identifier("lapsewatch", part.dataset))
    if part.month is None:
        return query
    begin = datetime.combine(part.month, time(), UTC)
    end = datetime.combine((part.month + timedelta(days=31)).replace(day=1), time(), UTC)
    return query + sql.SQL(" where planned_at >= {} and planned_at < {}").format(sql.Literal(begin), sql.Literal(end))


@contextmanager
def _copied(connection: Connection, query: sql.Composed) -> Iterator[Copy]:
    """Open what a query finds as CSV, of which each piece is a row. Raises Unavailable."""
    driver: Any = connection.connection.driver_connection
    copying = sql.SQL("copy ({}) to stdout (format csv)").format(query)
    try:
        with driver.cursor() as cursor, cursor.copy(copying) as copy:
            yield copy
    except psycopg.Error as error:
        raise Unavailable(f"the status database failed ({type(error).__name__}): try again") from None


def _gathered(rows: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Join rows to texts of BYTES_PER_BATCH, or of one row more."""
    gathered: list[bytes | bytearray | memoryview] = []
    length = 0
    for row in rows:
        gathered.append(row)
        length += len(row)
        if length >= BYTES_PER_BATCH:
            yield b"".join(gathered)
            gathered, length = [], 0
    if gathered:
        yield b"".join(gathered)
