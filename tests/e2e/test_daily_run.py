"""The real DAG in a real Airflow, from the user database to unverified addresses and a summary."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any

import psycopg
import pytest
from airflow.models.asset import AssetEvent
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from lapsewatch.core.cadence import cohort_of, cohort_of_day
from lapsewatch.stages.run import STAGES
from sqlalchemy import select

from tests.conftest import API_KEY, EPOCH, LAPSED, LIVES
from tests.e2e.conftest import ALIVE, Installation

WEBHOOK_SECRET = "whsec_c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1iZS1sb2dnZWQ="
OWNERS_OF_LAPSED = {f"owner@{domain}" for domain in LAPSED}


def test_the_run_unverifies_addresses_on_lapsed_domains(installation: Installation) -> None:
    assert installation.run(dry_run=False) == "success"
    assert installation.unverified() == OWNERS_OF_LAPSED
    [metrics] = installation.status("select * from lapsewatch.run_metrics")
    assert metrics["state"] == "success"
    assert metrics["address_count"] == metrics["checked_count"] == len(LIVES) + len(ALIVE)
    assert metrics["unverified_count"] == metrics["newly_lapsed_count"] == len(LAPSED)
    assert set(metrics["stage_seconds"]) == {*STAGES} - {"summarise_run"}
    assert (metrics["exceeded"], metrics["approval"]) == ([], None)
    assert installation.internet.calls()["by_domain"] == dict.fromkeys([*LIVES, *ALIVE], 1)


def test_a_second_run_changes_nothing(installation: Installation) -> None:
    assert installation.run(dry_run=False) == "success"
    before = installation.contents()
    calls = installation.internet.calls()["total"]
    assert installation.run(dry_run=False, as_of=EPOCH.replace(hour=6)) == "success"
    assert installation.contents() == before
    assert installation.internet.calls()["total"] == calls
    assert len(installation.status("select 1 from lapsewatch.run_metrics")) == 2


def test_by_default_it_reports_and_changes_nothing(installation: Installation) -> None:
    before = installation.users("select * from user_emails order by id")
    assert installation.run() == "success"
    assert installation.users("select * from user_emails order by id") == before
    [metrics] = installation.status("select dry_run, candidate_count, unverified_count from lapsewatch.run_metrics")
    assert metrics == {"dry_run": True, "candidate_count": len(LAPSED), "unverified_count": 0}


def test_domainr_gives_the_same_result(installation: Installation) -> None:
    assert installation.run(dry_run=False, client="domainr") == "success"
    assert installation.unverified() == OWNERS_OF_LAPSED
    query = "select distinct provider from lapsewatch.domain_status where checked_at is not null"
    assert installation.status(query) == [{"provider": "domainr"}]


def test_the_next_day_asks_only_what_is_watched_by_its_registry(installation: Installation, tomorrow: datetime) -> None:
    installation.run()
    installation.internet.forget_calls()
    installation.internet.advance(days=1)
    assert installation.run(dry_run=False, as_of=tomorrow) == "success"
    asked = installation.status(
        "select domain, source from lapsewatch.domain_check join lapsewatch.run_plan using (run_id, planned_at)"
        " where planned_at = (select max(planned_at) from lapsewatch.run_plan)"
    )
    # The registry says that "ingrace.net" has expired.
    assert {row["domain"] for row in asked} >= LAPSED | {"ingrace.net"}
    by_api = {row["domain"] for row in asked if row["source"] == "status_api"}
    assert by_api == set(installation.internet.calls()["by_domain"])
    # Nobody answers RDAP for .io.
    assert by_api & LAPSED == {"deleted.io"}


def test_a_run_that_pays_for_no_call_goes_its_whole_way(installation: Installation, tomorrow: datetime) -> None:
    """Without batches: its status-check tasks are skipped, and what comes after them is not."""
    assert installation.run() == "success"
    installation.internet.forget_calls()
    installation.internet.advance(days=1)
    due = "update lapsewatch.domain_status set next_check_at = '{}', next_source = 'registry' returning domain"
    installation.status(due.format(tomorrow.isoformat()))
    assert installation.run(dry_run=False, as_of=tomorrow) == "success"
    assert installation.internet.calls()["total"] == 0
    assert installation.unverified() == OWNERS_OF_LAPSED
    [metrics] = installation.status("select * from lapsewatch.run_metrics order by finished_at desc limit 1")
    assert (metrics["state"], metrics["api_call_count"], metrics["failed_stage"]) == ("success", 0, None)
    assert metrics["sources"].keys() == {"registry"}
    assert "check_batch" not in metrics["stage_seconds"]


def test_the_very_first_run_asks_about_the_cohort_of_its_day(installation: Installation) -> None:
    installation.status("delete from lapsewatch.domain_status returning domain")
    today = datetime.combine(datetime.now(UTC), time(), UTC)
    assert installation.run(dry_run=False, as_of=today) == "success"
    cohort = {domain for domain in [*LIVES, *ALIVE] if cohort_of(domain) == cohort_of_day(today)}
    assert set(installation.internet.calls()["by_domain"]) == cohort


def test_a_run_that_is_repeated_keeps_its_plan_and_asks_nobody_again(installation: Installation) -> None:
    for _ in range(2):
        assert installation.run() == "success"
    assert installation.internet.calls()["by_domain"] == dict.fromkeys([*LIVES, *ALIVE], 1)
    plans = "select count(distinct planned_at) as plans from lapsewatch.domain_check"
    assert installation.status(plans) == [{"plans": 1}]


def test_the_daily_run_drops_the_checks_that_are_too_old(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = "select partition_name from lapsewatch.domain_check_partition order by 1"
    installation.status("select lapsewatch.create_domain_check_partition('2020-01-01Z') is null as made")
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__KEEP_CHECKS_MONTHS", "0")
    assert installation.run() == "failed"
    [metrics] = installation.status("select failed_stage, error from lapsewatch.run_metrics")
    assert metrics["failed_stage"] == "plan_batches"
    assert "'keep_checks_months'" in metrics["error"]
    assert len(installation.status(months)) == 1
    monkeypatch.delenv("AIRFLOW__LAPSEWATCH__KEEP_CHECKS_MONTHS")
    assert installation.run() == "success"
    assert [row["partition_name"] for row in installation.status(months)] == [f"domain_check_{datetime.now(UTC):%Y_%m}"]


def test_a_list_is_kept_to(installation: Installation) -> None:
    assert installation.run(dry_run=False, scope="list", domains=["Released.dev", "alive.com"]) == "success"
    assert set(installation.internet.calls()["by_domain"]) == {"released.dev", "alive.com"}
    assert installation.unverified() == {"owner@released.dev"}


def test_the_asset_is_updated_also_when_a_stage_failed(installation: Installation) -> None:
    def extras() -> list[dict[str, Any]]:
        with create_session() as session:
            return list(session.scalars(select(AssetEvent.extra).order_by(AssetEvent.id)))

    before = len(extras())
    installation.run(dry_run=False)
    installation.internet.order_faults({"kind": "server_error", "status": 500})
    assert installation.run(scope="list", domains=["alive.com"], as_of=EPOCH.replace(hour=1)) == "failed"
    told = extras()[before:]
    assert [extra["state"] for extra in told] == ["success", "failed"]
    assert told[0]["unverified_count"] == len(LAPSED)


@contextmanager
def connection_missing(installation: Installation, name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(f"AIRFLOW_CONN_{name}")
        yield


@contextmanager
def user_database_broken(installation: Installation) -> Iterator[None]:
    with psycopg.connect(installation.user_url, autocommit=True) as connection:
        connection.execute("alter view lapsewatch.verified_email rename column host to domain")
        yield
        connection.execute("alter view lapsewatch.verified_email rename column domain to host")


@contextmanager
def unverification_refused(installation: Installation) -> Iterator[None]:
    with psycopg.connect(installation.user_url, autocommit=True) as connection:
        connection.execute("alter table user_emails add constraint refused check (unverify_reason is null)")
        yield
        connection.execute("alter table user_emails drop constraint refused")


@contextmanager
def addresses_refused(installation: Installation) -> Iterator[None]:
    with psycopg.connect(installation.user_url, autocommit=True) as connection:
        connection.execute("alter view lapsewatch.verified_address rename to elsewhere")
        yield
        connection.execute("alter view lapsewatch.elsewhere rename to verified_address")


def status_table_missing(table: str) -> Callable[[Installation], Any]:
    @contextmanager
    def broken(installation: Installation) -> Iterator[None]:
        with psycopg.connect(installation.status_url, autocommit=True) as connection:
            connection.execute(f"alter table lapsewatch.{table} rename to elsewhere")
            yield
            connection.execute(f"alter table lapsewatch.elsewhere rename to {table}")

    return broken


@contextmanager
def status_api_down(installation: Installation) -> Iterator[None]:
    installation.internet.order_faults({"kind": "server_error", "status": 500})
    yield
    installation.internet.order_faults()


@contextmanager
def api_key_refused(installation: Installation) -> Iterator[None]:
    installation.internet.order_faults({"kind": "refused", "status": 403})
    yield
    installation.internet.order_faults()


@contextmanager
def list_of_registries_down(installation: Installation) -> Iterator[None]:
    installation.internet.order_faults({"service": "bootstrap", "kind": "server_error", "status": 500})
    yield
    installation.internet.order_faults()


@contextmanager
def merge_refused(installation: Installation) -> Iterator[None]:
    with psycopg.connect(installation.status_url, autocommit=True) as connection:
        connection.execute("alter table lapsewatch.domain_status add constraint refused check (checked_at is null)")
        yield
        connection.execute("alter table lapsewatch.domain_status drop constraint refused")


BREAKS = {
    "extract_domains": user_database_broken,
    "plan_batches": status_table_missing("domain_check"),
    "check_batch": api_key_refused,
    "corroborate_checks": list_of_registries_down,
    "validate_checks": status_api_down,
    "store_domain_status": merge_refused,
    "plan_unverifications": addresses_refused,
    "unverify_emails": unverification_refused,
}


@pytest.mark.parametrize("stage", BREAKS)
def test_a_broken_stage_fails_the_run_and_the_next_run_finishes_the_work(
    installation: Installation, stage: str
) -> None:
    with BREAKS[stage](installation):
        assert installation.run(dry_run=False) == "failed"
        assert installation.unverified() == set()
    failed = installation.status("select state, failed_stage, error from lapsewatch.run_metrics")
    if stage != "plan_batches":  # without its table the summary can't be written either
        assert [(row["state"], row["failed_stage"]) for row in failed] == [("failed", stage)]
        assert failed[0]["error"]
    assert installation.run(dry_run=False, as_of=EPOCH.replace(hour=1)) == "success"
    assert installation.unverified() == OWNERS_OF_LAPSED


def test_who_was_unverified_is_told_so_although_accounts_cannot_be_read(installation: Installation) -> None:
    with psycopg.connect(installation.user_url, autocommit=True) as connection:
        connection.execute("alter view lapsewatch.account rename to elsewhere")
    assert installation.run(dry_run=False) == "failed"
    [metrics] = installation.status("select failed_stage, notification_count from lapsewatch.run_metrics")
    assert metrics["failed_stage"] == "extract_accounts"
    assert metrics["notification_count"]["address_unverified"] == len(LAPSED)


def test_a_summary_that_cannot_be_written_fails_the_run(installation: Installation) -> None:
    with status_table_missing("run_metrics")(installation):
        assert installation.run(dry_run=False) == "failed"
    assert installation.run(dry_run=False, as_of=EPOCH.replace(hour=1)) == "success"


@pytest.mark.parametrize("name", ["USER_DB", "STATUS_DB", "FASTLY_API"])
def test_a_missing_connection_is_named_and_nothing_is_half_written(
    installation: Installation, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with connection_missing(installation, name):
        assert installation.run(dry_run=False) == "failed"
    assert f"AIRFLOW_CONN_{name}" in everything_said(caplog, capfd)
    assert installation.unverified() == set()
    assert installation.status("select 1 from lapsewatch.domain_status where checked_at is not null") == []
    for metrics in installation.status("select state, error from lapsewatch.run_metrics"):
        assert metrics["state"] == "failed"
        assert f"AIRFLOW_CONN_{name}" in metrics["error"]


def test_a_missing_migration_says_what_to_run(
    installation: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(installation.status_url, autocommit=True) as connection:
        connection.execute("update lapsewatch.alembic_version set version_num = '0000'")
    assert installation.run(dry_run=False) == "failed"
    assert "alembic -c include/sql/migrations/alembic.ini upgrade head" in everything_said(caplog, capfd)
    assert installation.status("select 1 from lapsewatch.run_stage") == []


def test_a_bad_list_is_refused_with_a_reason_and_summed_up(installation: Installation) -> None:
    assert installation.run(scope="list", domains=["co.uk"]) == "failed"
    [metrics] = installation.status("select failed_stage, error from lapsewatch.run_metrics")
    assert metrics["failed_stage"] == "extract_domains"
    assert "must name registrable domains" in metrics["error"]


def test_a_slip_of_the_pen_is_refused_with_a_reason_and_summed_up(installation: Installation) -> None:
    assert installation.run(dryrun=False) == "failed"
    [metrics] = installation.status("select failed_stage, error from lapsewatch.run_metrics")
    assert metrics["failed_stage"] == "extract_domains"
    assert "holds 'dryrun', which is no Param" in metrics["error"]
    assert installation.internet.calls()["total"] == 0


def test_a_run_that_is_repeated_does_not_live_on_its_earlier_success(installation: Installation) -> None:
    assert installation.run(dry_run=False) == "success"
    with connection_missing(installation, "USER_DB"):
        assert installation.run(dry_run=False) == "failed"
    [metrics] = installation.status("select state, failed_stage from lapsewatch.run_metrics")
    assert metrics == {"state": "failed", "failed_stage": "extract_domains"}


def test_addresses_and_keys_appear_in_no_log_no_xcom_and_no_table_of_ours(
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    nobody_listens = {"conn_type": "http", "host": "http://127.0.0.1:9/notifications", "password": WEBHOOK_SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_NOTIFICATION_WEBHOOK", json.dumps(nobody_listens))
    with unverification_refused(installation):
        installation.run(dry_run=False)
    with user_database_broken(installation):
        installation.run(dry_run=False, as_of=EPOCH.replace(hour=1))
    with api_key_refused(installation):
        installation.run(dry_run=False, scope="all", as_of=EPOCH.replace(hour=2))
    installation.run(dry_run=False, scope="all", as_of=EPOCH.replace(hour=3))
    assert installation.unverified() == OWNERS_OF_LAPSED
    with create_session() as session:
        xcoms = str(list(session.scalars(select(XComModel.value))))
    said = everything_said(caplog, capfd) + xcoms
    tables = [
        row["relname"]
        for row in installation.status(
            "select relname from pg_class"
            " where relnamespace = 'lapsewatch'::regnamespace and relkind in ('r', 'p', 'v')"
        )
    ]
    kept = "".join(str(installation.status(f"select cast(t as text) from lapsewatch.{table} as t")) for table in tables)
    assert "check_batch" in said
    assert "was not delivered: no connection" in said
    assert "address_unverified" in kept
    assert "owner@" not in said + kept
    for secret in (API_KEY, WEBHOOK_SECRET, WEBHOOK_SECRET.removeprefix("whsec_")):
        assert secret not in said + kept


def everything_said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    """Return all that was logged or printed so far, by whatever way."""
    captured = capfd.readouterr()
    return caplog.text + captured.out + captured.err
