import json
import os
import re
import signal
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from lapsewatch.commands import export
from lapsewatch.commands.exit_codes import OK, BadInput
from lapsewatch.commands.export_folder import replaced_when_whole, write_manifest
from lapsewatch.core.errors import Unavailable
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.stages.validate_checks import validate_checks
from lapsewatch.status_database import datasets
from lapsewatch.status_database.datasets import read_declared
from lapsewatch.user_databases.database import UserDatabase
from psycopg import sql
from pyarrow import parquet
from sqlalchemy import Engine, text

from tests.commands.conftest import Environment, Run
from tests.stages.conftest import Check, plan_and_unverify
from tests.stages.conftest import check as check


@pytest.fixture
def lapsewatch(forked_lapsewatch: Run) -> Run:
    return forked_lapsewatch


@pytest.fixture
def database(status_url: str) -> Environment:
    return {"AIRFLOW_CONN_STATUS_DB": status_url}


@pytest.fixture
def filled(
    add_addresses: Callable[..., None], check: Check, users: UserDatabase, status: Engine, status_url: str
) -> None:
    """A run's worth of everything, and values that are easily lost on the way."""
    add_addresses("a@lapsed.com", "b@fine.org", "c@fine.org", "d@odd.net")
    run = check({"lapsed.com": "undelegated active expiring"})
    validate_checks(run, status)
    store_domain_status(run, status)
    plan_and_unverify(run, users, status)
    summarise_run(run, status)
    with psycopg.connect(status_url) as connection:
        connection.execute(
            """
            update lapsewatch.domain_status
            set reason = E'a "quoted",\\n\\\\two-line, reason\\t\\\\N — ünïcode', provider = '', flags = '{}',
                witnesses = array['', 'a,b', '"c"', E'd\\n', null], rdap_status = null,
                expires_at = '9999-11-30 23:59:59.999999Z', registered_at = '0987-01-01 00:00:00.000001Z'
            where domain = 'odd.net';
            insert into lapsewatch.call_spending (provider, day, call_count) values ('fastly', '2026-10-31', 1234567);
            insert into lapsewatch.exemption (domain, reason, exempted_by) values ('example.com', 'ours', 'erin');
            select lapsewatch.create_domain_check_partition('2026-10-01Z');
            insert into lapsewatch.domain_check (run_id, domain, planned_at, source, previous)
            values ('old', 'a.com', '2026-10-31 23:59:59.999999Z', 'registry', '{"phase": "a\\u00fc"}'),
                   ('old', 'b.com', '2026-10-01 00:00:00Z', 'registry', null)
            """
        )


def as_told_by_sql(status_url: str, dataset: str) -> list[dict[str, Any]]:
    kinds = read_declared().datasets[dataset]
    query = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(map(sql.Identifier, kinds)), sql.Identifier("lapsewatch", dataset)
    )
    with psycopg.connect(status_url) as connection:
        connection.execute("set time zone 'Asia/Kathmandu'")
        return [dict(zip(kinds, row, strict=True)) for row in connection.execute(query)]


def as_read(path: Path, dataset: str) -> list[dict[str, Any]]:
    """Read a dataset as an analyst does, with the columns in their order."""
    kinds = read_declared().datasets[dataset]
    table = parquet.read_table(path / dataset)
    read = table.column_names
    assert read[: len(kinds)] == list(kinds)
    return [
        {
            name: json.loads(row[name]) if kind == "json" and row[name] is not None else row[name]
            for name, kind in kinds.items()
        }
        for row in table.to_pylist()
    ]


def sortable(rows: list[dict[str, Any]]) -> list[str]:
    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        return float(value) if isinstance(value, Decimal) else value

    return sorted(json.dumps({name: plain(value) for name, value in row.items()}, default=str) for row in rows)


def test_what_is_read_from_the_files_is_what_sql_tells(
    database: Environment, installed_lapsewatch: Run, filled: None, status_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "made" / "lake"
    done = installed_lapsewatch("export", str(folder), env=database)
    assert (done.returncode, done.stderr) == (0, "")
    declared = read_declared()
    told = {line.split()[1]: int(line.split()[0].replace(",", "")) for line in done.stdout.splitlines()}
    for dataset in declared.datasets:
        expected = as_told_by_sql(status_url, dataset)
        assert sortable(as_read(folder, dataset)) == sortable(expected), dataset
        assert told[dataset] == len(expected), dataset
    without_rows = {name for name, count in told.items() if not count}
    assert without_rows == {"unverification_approval", "approval_lapse", "account_at_risk"}
    assert {path.name for path in (folder / "domain_check").iterdir()} == {
        "month=2026-10", f"month={datetime.now(UTC):%Y-%m}"
    }  # fmt: skip
    manifest = json.loads((folder / "_export.json").read_text())
    assert (manifest["schema_version"], manifest["datasets"]) == (declared.version, told)


def test_all_files_are_of_one_moment(status_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def written_to(pending: list[datasets.Part], *_: object) -> Iterator[datasets.Part]:
        """Stands for the runs and people who write while the export is at work."""
        for number, part in enumerate(pending):
            with psycopg.connect(status_url) as connection:
                connection.execute(
                    "insert into lapsewatch.exemption (domain, reason, exempted_by) values (%s, 'ours', 'erin')",
                    [f"{number}.com"],
                )
            yield part

    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", status_url)
    monkeypatch.setattr(export, "followed", written_to)
    assert export.run(Namespace(folder=str(tmp_path / "lake"))) == OK
    assert len(as_told_by_sql(status_url, "exemption")) > 1
    assert as_read(tmp_path / "lake", "exemption") == []


def test_types_are_as_declared_and_pandas_reads_months_apart(
    database: Environment, lapsewatch: Run, filled: None, tmp_path: Path
) -> None:
    assert lapsewatch("export", str(tmp_path / "lake"), env=database).returncode == 0
    declared = read_declared()
    for dataset in declared.datasets:
        for path in (tmp_path / "lake" / dataset).rglob("*.parquet"):
            found = parquet.read_schema(path)
            assert found.equals(declared.schema(dataset)), dataset
            assert found.metadata[b"lapsewatch.schema_version"] == str(declared.version).encode()
    checks = pd.read_parquet(tmp_path / "lake" / "domain_check", filters=[("month", "==", "2026-10")])
    assert sorted(checks["domain"]) == ["a.com", "b.com"]
    assert str(checks["planned_at"].dtype) == "datetime64[us, UTC]"
    [spent] = pd.read_parquet(tmp_path / "lake" / "calls_by_day").to_dict("records")
    assert spent == {
        "provider": "fastly", "day": date(2026, 10, 31), "call_count": 1234567, "cost_usd": Decimal("1234.567")
    }  # fmt: skip


def test_a_rerun_replaces_the_export_and_one_that_fails_leaves_it(
    database: Environment, lapsewatch: Run, status_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "lake"
    assert lapsewatch("export", str(folder), env=database).returncode == 0
    with psycopg.connect(status_url) as connection:
        connection.execute(
            "insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at) values ('a.com', now(), now())"
        )
    done = lapsewatch("export", str(folder), env=database)
    assert done.stdout.splitlines()[0].split() == ["1", "domain_status"]
    assert [row["domain"] for row in as_read(folder, "domain_status")] == ["a.com"]
    with psycopg.connect(status_url) as connection:
        # What is written last is not as it should be: the export ends after most of it.
        connection.execute("alter view lapsewatch.questions_by_day rename column day to date")
    done = lapsewatch("export", str(folder), env=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"lapsewatch: the status database failed \(\w+\): try again\n", done.stderr)
    assert [row["domain"] for row in as_read(folder, "domain_status")] == ["a.com"]
    assert [path.name for path in tmp_path.iterdir() if "lake" in path.name] == ["lake"]


def test_a_folder_that_holds_something_else_is_refused(database: Environment, lapsewatch: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    (tmp_path / "file").touch()
    for name, trouble in {
        "photos": "holds something else than an export",
        "file": "is to be the folder is none",
    }.items():
        done = lapsewatch("export", str(tmp_path / name), env=database)
        assert (done.returncode, done.stdout) == (2, "")
        assert trouble in done.stderr
    assert (tmp_path / "photos" / "cat.jpg").exists()


def write_export(folder: Path, mark: str) -> None:
    (folder / mark).mkdir()
    write_manifest(folder, {"datasets": {mark: 1}})


def test_what_somebody_has_laid_beside_an_export_is_not_replaced(tmp_path: Path) -> None:
    with replaced_when_whole(tmp_path / "lake") as folder:
        write_export(folder, "first")
    (tmp_path / "lake" / "notes.txt").touch()
    with pytest.raises(BadInput), replaced_when_whole(tmp_path / "lake"):
        pass
    assert (tmp_path / "lake" / "notes.txt").exists()


def test_one_export_at_a_time_writes_a_folder(tmp_path: Path) -> None:
    with replaced_when_whole(tmp_path / "lake") as folder:
        write_export(folder, "first")
        with pytest.raises(Unavailable, match="another export"), replaced_when_whole(tmp_path / "lake"):
            pass
    assert (tmp_path / "lake" / "first").exists()


@pytest.mark.parametrize(("renames", "left"), [(0, "first"), (1, "first"), (2, "second")])
def test_an_export_that_is_killed_leaves_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int, left: str
) -> None:
    with replaced_when_whole(tmp_path / "lake") as folder:
        write_export(folder, "first")
    child = os.fork()
    if child == 0:
        rename, done = Path.rename, count(1)

        def rename_and_die(path: Path, target: Path) -> None:
            rename(path, target)
            if next(done) == renames:
                os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(Path, "rename", rename_and_die)
        with replaced_when_whole(tmp_path / "lake") as folder:
            write_export(folder, "second")
            if not renames:
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    with pytest.raises(KeyError), replaced_when_whole(tmp_path / "lake"):
        raise KeyError
    assert (tmp_path / "lake" / left).exists()
    with replaced_when_whole(tmp_path / "lake") as folder:
        assert list(folder.iterdir()) == []
        write_export(folder, "third")
    assert {path.name for path in tmp_path.iterdir()} == {"lake"}
    assert (tmp_path / "lake" / "third").exists()


def test_a_year_that_python_does_not_know_is_exported(filled: None, status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_status set expires_at = '9999-12-31 23:59:59Z'"))
        [batch] = datasets.batches(connection, read_declared(), datasets.Part("domain_status"))
        seconds = connection.scalar(text("select extract(epoch from timestamptz '9999-12-31 23:59:59Z')"))
    assert set(batch["expires_at"].cast(pa.int64()).to_pylist()) == {int(seconds) * 1_000_000}
    assert batch["renewable_until"].null_count < batch.num_rows


def test_an_exemption_for_all_time_has_no_end(status: Engine) -> None:
    """People write exemptions, by SQL too."""
    with status.begin() as connection:
        exempt = "insert into lapsewatch.exemption (domain, reason, exempted_by, expires_at)"
        connection.execute(text(f"{exempt} values ('partner.com', 'a partner', 'erin', 'infinity')"))
        [batch] = datasets.batches(connection, read_declared(), datasets.Part("exemption"))
    assert batch["expires_at"].to_pylist() == [None]


def test_pieces_of_a_copy_make_no_difference(
    filled: None, status: Engine, status_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "BYTES_PER_BATCH", 4_000)
    declared = read_declared()
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at, reason)"
                " select number || '.com', now(), now(), repeat(E'a\n', 100) from generate_series(1, 50) as number"
            )
        )
    with status.connect() as connection:
        found = list(datasets.batches(connection, declared, datasets.Part("domain_status")))
    assert len(found) > 1
    read = [row for batch in found for row in batch.to_pylist()]
    assert sortable(read) == sortable(as_told_by_sql(status_url, "domain_status"))


def test_a_value_that_is_larger_than_a_batch_is_exported(
    status: Engine, status_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "BYTES_PER_BATCH", 4_000)
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at, reason)"
                " select number || '.com', now(), now(), repeat(E'a \"long\"\n one', number * 1000)"
                " from generate_series(0, 3) as number"
            )
        )
        found = list(datasets.batches(connection, read_declared(), datasets.Part("domain_status")))
    read = [row for batch in found for row in batch.to_pylist()]
    assert sortable(read) == sortable(as_told_by_sql(status_url, "domain_status"))
