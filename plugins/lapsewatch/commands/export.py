"""`lapsewatch export`: writes the status database into a folder of Parquet files, for a data lake."""

import argparse
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path

from pyarrow import parquet
from sqlalchemy import Connection

from lapsewatch.commands.exit_codes import OK
from lapsewatch.commands.export_folder import replaced_when_whole, write_manifest
from lapsewatch.commands.progress import followed
from lapsewatch.commands.sources import open_status_database
from lapsewatch.status_database.datasets import Declared, Part, batches, parts, read_declared
from lapsewatch.status_database.statements import statement


def run(arguments: argparse.Namespace) -> int:
    """Write all datasets as they stand at one moment, then tell their rows on standard output."""
    declared = read_declared()
    row_counts: Counter[str] = Counter(dict.fromkeys(declared.datasets, 0))
    out = sys.stdout
    with (
        # Airflow talks on standard output, which belongs to the answer.
        redirect_stdout(sys.stderr),
        open_status_database() as status,
        replaced_when_whole(Path(arguments.folder)) as folder,
        status.connect() as connection,
    ):
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        taken_at, migration = connection.execute(statement("select_snapshot")).one()
        pending = parts(connection, declared)
        for part in followed(pending, "files", len(pending)):
            row_counts[part.dataset] += _write(connection, declared, part, folder)
        manifest = {
            "schema_version": declared.version,
            "taken_at": taken_at.isoformat(),
            "migration": migration,
            "datasets": row_counts,
        }
        write_manifest(folder, manifest)
    out.writelines(f"{count:>13,} {name}\n" for name, count in row_counts.items())
    return OK


def _write(connection: Connection, declared: Declared, part: Part, folder: Path) -> int:
    """Write a part's file; return its number of rows."""
    path = folder / part.path
    path.parent.mkdir(parents=True)
    written = 0
    with parquet.ParquetWriter(path, declared.schema(part.dataset), compression="zstd") as writer:
        for batch in batches(connection, declared, part):
            writer.write_batch(batch)
            written += batch.num_rows
    return written
