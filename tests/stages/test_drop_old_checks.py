"""Old months of checks go, one at a time and in nobody's way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.stages.drop_old_checks import drop_old_checks
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, rows

NOW = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
MARCH = replace(RUN, clock=lambda: NOW)
CHECK = """
    insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider)
    values (:run_id, 'example.com', :at, 0, 'fastly')
"""
MONTHS = [(2025, 1), (2025, 11), (2025, 12), (2026, 1), (2026, 2), (2026, 3)]


@pytest.fixture(autouse=True)
def checks(status: Engine) -> None:
    """A run in each month, with one check."""
    for year, month in MONTHS:
        add_run(status, datetime(year, month, 28, 23, 59, tzinfo=UTC))


def add_run(status: Engine, at: datetime) -> None:
    values = {"run_id": f"{at.year}-{at.month}", "at": at}
    with status.begin() as connection:
        connection.execute(text("select lapsewatch.create_domain_check_partition(:at)"), values)
        connection.execute(text(CHECK), values)
        connection.execute(text("insert into lapsewatch.run_plan values (:run_id, :at, 0, false, 1, 1, 30)"), values)


def months(status: Engine) -> list[str]:
    kept = [row["partition_name"] for row in rows(status, "select * from lapsewatch.domain_check_partition order by 1")]
    in_use = rows(status, "select distinct tableoid::regclass::text as name from lapsewatch.domain_check")
    assert len(in_use) == len(kept)
    return [name.removeprefix("domain_check_") for name in kept]


def plans(status: Engine) -> list[str]:
    return [row["run_id"] for row in rows(status, "select run_id from lapsewatch.run_plan order by planned_at")]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_present_month_counts_wherever_the_database_lives(status: Engine, zone: str) -> None:
    live_in(zone, status)
    assert drop_old_checks(MARCH, 2, status) == {"dropped_month_count": 4}
    assert months(status) == ["2026_02", "2026_03"]
    assert plans(status) == ["2026-2", "2026-3"]
    assert drop_old_checks(MARCH, 2, status) == {"dropped_month_count": 0}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_plan_of_a_months_first_or_last_second_goes_with_that_month(status: Engine, zone: str) -> None:
    live_in(zone, status)
    with status.begin() as connection:
        for run_id, at in (("last", "2026-01-31 23:59:59Z"), ("first", "2026-02-01 00:00:00Z")):
            values = {"run_id": run_id, "at": at}
            connection.execute(
                text("insert into lapsewatch.run_plan values (:run_id, :at, 0, false, 1, 1, 30)"), values
            )
    drop_old_checks(MARCH, 2, status)
    assert plans(status) == ["first", "2026-2", "2026-3"]


def live_in(zone: str, status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(text(f"alter database status set timezone = '{zone}'"))
    status.dispose()
    assert rows(status, "show timezone") == [{"TimeZone": zone}]


def test_a_worker_whose_clock_runs_ahead_drops_no_month_that_is_kept(status: Engine) -> None:
    [present] = rows(status, "select now() at time zone 'UTC' as at")
    this_month = present["at"].replace(day=1, tzinfo=UTC)
    last_month = this_month - timedelta(days=1)
    for at in (last_month, this_month):
        add_run(status, at)
    ahead = replace(RUN, clock=lambda: this_month + timedelta(days=3652))
    assert drop_old_checks(ahead, 2, status) == {"dropped_month_count": len(MONTHS)}
    assert months(status) == [f"{at:%Y_%m}" for at in (last_month, this_month)]
    assert len(plans(status)) == 2


@pytest.mark.parametrize(("keep", "oldest"), [(4, "2025_12"), (5, "2025_11"), (14, "2025_11"), (15, "2025_01")])
def test_months_are_counted_across_new_year(status: Engine, keep: int, oldest: str) -> None:
    drop_old_checks(MARCH, keep, status)
    assert months(status)[0] == oldest


def test_what_is_being_read_is_left_to_the_next_run(status: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """And the reader, which has not ended yet, goes on reading."""
    with status.connect() as reader:
        query = text("select count(*) from lapsewatch.domain_check")
        assert reader.scalar(query) == len(MONTHS)
        assert drop_old_checks(MARCH, 2, status) == {"dropped_month_count": 0}
        assert "domain_check_2025_01 is left to the next run" in caplog.text
        assert len(plans(status)) == len(MONTHS)
        assert reader.scalar(query) == len(MONTHS) - 1
    assert drop_old_checks(MARCH, 2, status) == {"dropped_month_count": 4}
    assert months(status) == ["2026_02", "2026_03"]
    assert plans(status) == ["2026-2", "2026-3"]


def test_a_new_month_begins_while_an_old_one_is_on_its_way_out(status: Engine) -> None:
    with status.connect() as reader:
        reader.scalar(text("select count(*) from lapsewatch.domain_check"))
        drop_old_checks(MARCH, 2, status)
        assert [row["is_detaching"] for row in rows(status, PARTITION_OF_JANUARY)] == [True]
        with status.begin() as connection:
            april = datetime(2026, 4, 1, tzinfo=UTC)
            connection.execute(text("select lapsewatch.create_domain_check_partition(:at)"), {"at": april})
    drop_old_checks(MARCH, 2, status)
    assert rows(status, PARTITION_OF_JANUARY) == []


PARTITION_OF_JANUARY = "select * from lapsewatch.domain_check_partition where partition_name = 'domain_check_2025_01'"


def test_a_month_that_was_taken_out_and_not_dropped_is_found_again(status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(text("alter table lapsewatch.domain_check detach partition lapsewatch.domain_check_2025_01"))
    assert drop_old_checks(MARCH, 2, status) == {"dropped_month_count": 4}
    assert months(status) == ["2026_02", "2026_03"]


def test_runs_at_once_do_not_stand_in_each_others_way(status: Engine) -> None:
    with ThreadPoolExecutor(6) as runs:
        counts = list(runs.map(lambda _: drop_old_checks(MARCH, 2, status), range(6)))
    assert sum(count["dropped_month_count"] for count in counts) == 4
    assert months(status) == ["2026_02", "2026_03"]


def test_its_session_leaves_nothing_behind(status: Engine) -> None:
    drop_old_checks(MARCH, 2, status)
    assert rows(status, "show lock_timeout") == [{"lock_timeout": "0"}]
    assert rows(status, "select * from pg_locks where locktype = 'advisory'") == []


def test_plans_stay_as_long_as_their_checks(status: Engine) -> None:
    """A run of last month that is cleared today goes on with its plan."""
    drop_old_checks(MARCH, 15, status)
    assert len(plans(status)) == len(MONTHS)
