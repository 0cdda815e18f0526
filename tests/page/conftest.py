"""Airflow's own web application with the plugin loaded, over a status database filled with plain SQL."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from airflow.api_fastapi.app import cached_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.utils.db import initdb
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient

from tests.e2e.conftest import connection_json

AIRFLOW = "http://127.0.0.1"
LAPSED_AT = "2026-10-30T05:18:00Z"


@pytest.fixture(scope="session")
def airflow() -> None:
    initdb()


@pytest.fixture
def anonymous(airflow: None, status_url: str, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A browser that nobody has logged in with."""
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json(status_url))
    return TestClient(cached_app(), base_url=AIRFLOW, follow_redirects=False)


@pytest.fixture
def log_in(anonymous: TestClient) -> Callable[..., TestClient]:
    """Logs the browser in, as a user with the role."""

    def log_in(role: str | None) -> TestClient:
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="somebody", role=role))
        anonymous.cookies.set("_token", token)
        return anonymous

    return log_in


@pytest.fixture
def viewer(log_in: Callable[..., TestClient]) -> TestClient:
    """The browser of a user who may read DAGs, and no more."""
    return log_in("VIEWER")


class StatusDatabase:
    """Fills the status database with what a run would have left."""

    def __init__(self, url: str) -> None:
        self.url = url

    def execute(self, query: str, **values: Any) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(query, values)

    def start_run(self, run_id: str, exceeded: list[dict[str, Any]] | None = None) -> None:
        self.execute(
            "insert into lapsewatch.run_stage (run_id, stage, state, started_at, counts)"
            " values (%(run_id)s, 'plan_unverifications', 'success', '2026-11-01T00:00:00Z', %(counts)s)",
            run_id=run_id,
            counts=Jsonb({"exceeded": exceeded or []}),
        )

    def add_lapses(self, count: int, name: str = "lapsed%s.example", **columns: Any) -> None:
        """Add as many lapses, their domains numbered from 1 on; a name without %s is one domain."""
        lapse: dict[str, Any] = {"phase": "released", "reason": "it is gone", "witnesses": ["rdap", "dns"]} | columns
        self.execute(
            """
            with made as (
                insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at)
                select replace(%(name)s, '%%s', number::text), %(at)s, %(at)s
                from generate_series(1, %(count)s) as number
                returning domain
            )
            insert into lapsewatch.domain_lapse
                (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id)
            select domain, %(at)s, %(at)s, 'observed', %(phase)s, %(reason)s, %(witnesses)s, '{}', 'corroborated',
                   'first'
            from made
            """,
            name=name,
            at=LAPSED_AT,
            count=count,
            **lapse,
        )

    def ask(self, run_id: str, suspicion: dict[str, str] | None = None, **answer: Any) -> None:
        """Ask about all lapses, each with as many addresses as its domain's name has letters."""
        question = {"answer": None, "answered_at": None, "answered_by": None, "covers": "run"} | answer
        exceeded = [{"tld": None, "limit": "addresses", "found": 1234.0, "allowed": 100.0}]
        self.execute(
            """
            insert into lapsewatch.unverification_approval
                (run_id, asked_at, expires_at, covers, exceeded, address_count, domain_count, suspicious_count, answer,
                 answered_at, answered_by)
            select %(run_id)s, '2026-11-01T01:00:00Z', '2126-11-01T21:00:00Z', %(covers)s, %(exceeded)s,
                   coalesce(sum(length(domain)), 0), count(*),
                   coalesce(sum(length(domain)) filter (where %(suspicion)s ? domain), 0), %(answer)s, %(answered_at)s,
                   %(answered_by)s
            from lapsewatch.domain_lapse
            """,
            run_id=run_id,
            exceeded=Jsonb(exceeded),
            suspicion=Jsonb(suspicion or {}),
            **question,
        )
        self.execute(
            """
            insert into lapsewatch.approval_lapse (run_id, asked_at, domain, lapsed_at, address_count, suspicion)
            select %(run_id)s, '2026-11-01T01:00:00Z', domain, lapsed_at, length(domain), %(suspicion)s ->> domain
            from lapsewatch.domain_lapse
            """,
            run_id=run_id,
            suspicion=Jsonb(suspicion or {}),
        )

    def name_addresses(self, run_id: str, state: str, addresses_per_lapse: int = 1) -> None:
        """Make addresses under every lapse candidates of the run."""
        self.execute(
            """
            insert into lapsewatch.address_unverification
                (address_key, domain, lapsed_at, dry_run, host, run_id, state, reason, evidence, planned_at)
            select domain || number, domain, lapsed_at, %(state)s = 'dry_run', domain, %(run_id)s, %(state)s,
                   'it is still gone', '{"phase": "pending_delete", "witnesses": ["flags", "dns"]}', lapsed_at
            from lapsewatch.domain_lapse
            cross join generate_series(1, %(addresses)s) as number
            """,
            run_id=run_id,
            state=state,
            addresses=addresses_per_lapse,
        )


@pytest.fixture
def known(status_url: str) -> StatusDatabase:
    """The status database, to be filled."""
    return StatusDatabase(status_url)
