"""A real Airflow in this process, over the session's PostgreSQL and a simulated internet."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.pool import Pool
from airflow.utils.db import initdb
from psycopg.rows import dict_row
from sqlalchemy import make_url

from local import schemas
from local.checkout import DAGS
from simulator.lives import Life
from simulator.world import World
from tests.conftest import API_KEY, EPOCH, LIVES, SimulatedInternet, days, put_to_work, seed_users, simulated

Row = dict[str, Any]


@pytest.fixture(scope="session")
def airflow() -> Iterator[None]:
    """Airflow's metadata database, migrated, and an Airflow that checks each schema once."""
    initdb()
    Pool.create_or_update_pool("status_api", slots=4, description="", include_deferred=False)
    with schemas.checked_once():
        yield


def connection_json(libpq_url: str, **extra: object) -> str:
    url = make_url(libpq_url)
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": url.host,
            "port": url.port,
            "login": url.username,
            "password": url.password,
            "schema": url.database,
            "extra": extra,
        }
    )


def connections(status_url: str, reader_url: str, unverifier_url: str, internet: SimulatedInternet) -> dict[str, str]:
    """Airflow's connections as variables of the environment."""
    status_api = {"conn_type": "http", "host": internet.url, "password": API_KEY}
    extra = {"requests_per_second": 500, "max_in_flight": 8}
    rdap = {"conn_type": "http", "host": f"{internet.url}/rdap/dns.json", "extra": extra}
    host, port = internet.dns
    return {
        "AIRFLOW_CONN_USER_DB": connection_json(reader_url, profile="pypi"),
        "AIRFLOW_CONN_USER_DB_UNVERIFIER": connection_json(unverifier_url),
        "AIRFLOW_CONN_STATUS_DB": connection_json(status_url),
        "AIRFLOW_CONN_FASTLY_API": json.dumps(status_api | {"extra": extra}),
        "AIRFLOW_CONN_DOMAINR_API": json.dumps(status_api),
        "AIRFLOW_CONN_RDAP": json.dumps(rdap),
        "AIRFLOW_CONN_DNS": json.dumps({"conn_type": "generic", "host": host, "port": port}),
    }


@dataclass(frozen=True)
class Installation:
    """An installation of Lapsewatch: databases, the internet outside, and the daily run."""

    status_url: str
    user_url: str
    internet: SimulatedInternet

    def run(self, as_of: datetime = EPOCH, **conf: Any) -> str:
        """Run the DAG once and return the state of the run. The same date once more is the same run, repeated."""
        # A new one each time: `test` leaves its configuration in the DAG's Params.
        dag = DagBag(DAGS).dags["check_domain_status"]
        for task in dag.tasks:
            task.retries = 0
        return str(dag.test(run_after=as_of, logical_date=as_of, run_conf=conf).state)

    def status(self, query: str) -> list[Row]:
        return rows(self.status_url, query)

    def users(self, query: str) -> list[Row]:
        return rows(self.user_url, query)

    def unverified(self) -> set[str]:
        found = self.users("select email from user_emails where unverify_reason = 'domain status invalid'")
        return {row["email"] for row in found}

    def contents(self) -> dict[str, list[Row]]:
        """Everything that a run that has nothing to do must leave as it is.

        Address counts are left out: they follow the users, who have fewer verified addresses after a run.
        """
        return {
            "domain_status": self.status(
                "select (to_jsonb(s) - 'address_count')::text from lapsewatch.domain_status as s order by domain"
            ),
            "email_host": self.status("select host, domain from lapsewatch.email_host order by host"),
            "address_unverification": self.status(
                "select * from lapsewatch.address_unverification order by address_key, dry_run"
            ),
            "domain_check": self.status("select * from lapsewatch.domain_check order by run_id, domain"),
            "user_emails": self.users("select * from user_emails order by id"),
        }


def rows(url: str, query: str) -> list[Row]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query).fetchall()


ALIVE = {f"alive{number}.com": Life.active(EPOCH + days(300)) for number in range(30)}


@pytest.fixture
def lives() -> dict[str, Life]:
    """The domains of the world, each with an account on it."""
    return LIVES | ALIVE


@pytest.fixture
def installation(
    airflow: None,
    lives: dict[str, Life],
    status_url: str,
    user_url: str,
    reader_url: str,
    unverifier_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    world = World.of(lives, EPOCH)
    seed_users(user_url, world)
    put_to_work(status_url, EPOCH)
    with simulated(world) as internet:
        for name, value in connections(status_url, reader_url, unverifier_url, internet).items():
            monkeypatch.setenv(name, value)
        yield Installation(status_url, user_url, internet)


@pytest.fixture
def tomorrow() -> datetime:
    return EPOCH + timedelta(days=1)
