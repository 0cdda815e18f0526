"""A backfill of thirty runs reads the user database once a day; whoever needs it waits until it was read."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lapsewatch.stages.extract_accounts import extract_accounts
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.status_database.journal import Counts, stage
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import RUN, rows

DAYS = [replace(RUN, run_id=f"day-{n}", as_of=RUN.as_of - timedelta(days=n), is_backfill=True) for n in range(6)]
EXTRACTIONS = pytest.mark.parametrize(
    ("extract", "counted"), [(extract_domains, "address_count"), (extract_accounts, "account_at_risk_count")]
)
Extract = Callable[..., Counts]


@pytest.fixture
def readings(add_addresses: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two addresses, and what is read of the user database from now on."""
    add_addresses("a@one.com")
    add_addresses("b@two.com")
    asked: list[str] = []
    read = UserDatabase._rows

    def rows(users: UserDatabase, name: str, **values: str) -> Iterator[tuple[Any, ...]]:
        asked.append(name)
        return read(users, name, **values)

    monkeypatch.setattr(UserDatabase, "_rows", rows)
    return asked


@EXTRACTIONS
def test_the_runs_of_a_backfill_share_one_extraction(
    users: UserDatabase, status: Engine, readings: list[str], extract: Extract, counted: str
) -> None:
    extract_domains(RUN, users, status)
    readings.clear()
    with status.begin() as connection:
        connection.exec_driver_sql("delete from lapsewatch.extraction")
    with ThreadPoolExecutor(len(DAYS)) as workers:
        found = list(workers.map(lambda run: extract(run, users, status), DAYS))
    once = len(readings)
    [own] = [counts for counts in found if "shared_run_id" not in counts]
    assert own[counted] == 2
    [shared_from] = {counts["shared_run_id"] for counts in found if counts is not own}
    assert found[[run.run_id for run in DAYS].index(str(shared_from))] == own
    assert all(counts == own | {"shared_run_id": shared_from} for counts in found if counts is not own)
    readings.clear()
    extract(RUN, users, status)
    assert len(readings) == once > 0


@EXTRACTIONS
def test_a_run_that_is_no_backfill_reads_for_itself_and_a_backfill_shares_that(
    users: UserDatabase, status: Engine, readings: list[str], extract: Extract, counted: str
) -> None:
    extract_domains(RUN, users, status)
    extract(RUN, users, status)
    assert "shared_run_id" not in extract(replace(RUN, run_id="second"), users, status)
    assert extract(DAYS[0], users, status)["shared_run_id"] == "second"


@EXTRACTIONS
def test_yesterdays_extraction_is_not_shared(
    users: UserDatabase, status: Engine, readings: list[str], extract: Extract, counted: str
) -> None:
    midnight = RUN.as_of
    late, early = midnight - timedelta(seconds=1), midnight
    extract_domains(RUN, users, status)
    extract(replace(RUN, clock=lambda: late), users, status)
    assert extract(replace(DAYS[0], clock=lambda: late), users, status)["shared_run_id"] == RUN.run_id
    assert "shared_run_id" not in extract(replace(DAYS[1], clock=lambda: early), users, status)
    assert extract(replace(DAYS[2], clock=lambda: early), users, status)["shared_run_id"] == "day-1"


def test_a_repeated_attempt_of_the_run_that_read_goes_by_its_own(
    users: UserDatabase, status: Engine, readings: list[str]
) -> None:
    first = extract_domains(DAYS[0], users, status)
    readings.clear()
    assert extract_domains(DAYS[0], users, status) == first
    assert readings == []


def test_an_extraction_that_failed_is_shared_by_nobody(
    users: UserDatabase, status: Engine, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run waits for it, and then reads for itself."""
    is_begun, may_fail = threading.Event(), threading.Event()

    def breaking(_: UserDatabase) -> None:
        is_begun.set()
        assert may_fail.wait(30)
        raise ConnectionError

    with ThreadPoolExecutor(2) as workers:
        with monkeypatch.context() as patch:
            patch.setattr(UserDatabase, "hosts", breaking)
            failing = workers.submit(extract_domains, DAYS[0], users, status)
            assert is_begun.wait(30)
        waiting = workers.submit(extract_domains, DAYS[1], users, status)
        may_fail.set()
        with pytest.raises(ConnectionError):
            failing.result(30)
        assert "shared_run_id" not in waiting.result(30)


def test_a_summary_tells_whose_extraction_it_was(users: UserDatabase, status: Engine, readings: list[str]) -> None:
    for run in (RUN, DAYS[0]):
        with stage(status, run.run_id, "extract_domains") as counts:
            counts |= extract_domains(run, users, status)
        summarise_run(run, status)
    found = rows(status, "select run_id, shared_run_id, address_count from lapsewatch.run_metrics order by 1")
    assert found == [
        {"run_id": "day-0", "shared_run_id": RUN.run_id, "address_count": 2},
        {"run_id": RUN.run_id, "shared_run_id": None, "address_count": 2},
    ]
