"""Airflow's own web application with the plugin loaded, over a status database filled with plain SQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
NOW = datetime.now(UTC)
COUNTS = (
    "planned_count",
    "checked_count",
    "no_evidence_count",
    "quarantined_count",
    "newly_lapsed_count",
    "lapsed_domain_count",
    "unverified_count",
    "api_call_count",
)
OBJECTS = ("stage_seconds", "set_aside", "no_evidence", "phases")


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

    def add_domain(self, domain: str, **columns: Any) -> None:
        """Add a domain in use, with one address, that was met just now and is well unless told otherwise."""
        met = {"domain": domain, "address_count": 1, "first_seen_at": NOW, "next_check_at": NOW, "checked_at": NOW}
        said = {"phase": "active", "verdict": "keep", "reason": "it is registered", "policy": "corroborated"}
        self._insert("domain_status", met | said | columns)
        self.add_host(domain, domain)

    def add_host(self, host: str, domain: str, address_count: int = 1) -> None:
        """Add a host under a domain that is there."""
        row = {"host": host, "domain": domain, "address_count": address_count, "last_seen_at": NOW}
        self._insert("email_host", row)

    def add_check(self, domain: str, run_id: str, planned_at: datetime, **columns: Any) -> None:
        """Add an answered check, of the status API and a registered domain unless told otherwise."""
        self.execute("select lapsewatch.create_domain_check_partition(%(at)s)", at=planned_at)
        key = {"domain": domain, "run_id": run_id, "planned_at": planned_at, "checked_at": planned_at}
        said = {"outcome": "evidence", "flags": ["active"], "phase": "active", "witnesses": ["flags"]}
        judged = {"verdict": "keep", "reason": "the domain is registered"}
        self._insert("domain_check", key | {"provider": "fastly", "batch": 0} | said | judged | columns)

    def add_lapse(self, domain: str, **columns: Any) -> None:
        """Add an open lapse of a domain that is there."""
        key = {"domain": domain, "lapsed_at": LAPSED_AT, "began_at": LAPSED_AT, "run_id": "first"}
        said = {"kind": "observed", "phase": "released", "reason": "it is gone", "witnesses": ["rdap"]}
        self._insert("domain_lapse", key | said | {"evidence": Jsonb({}), "policy": "corroborated"} | columns)

    def add_unverification(self, address_key: str, domain: str, **columns: Any) -> None:
        """Add an address that was unverified for the domain's lapse."""
        key = {"address_key": address_key, "domain": domain, "lapsed_at": LAPSED_AT, "dry_run": False}
        fate = {"host": domain, "run_id": "first", "state": "unverified", "planned_at": NOW}
        self._insert("address_unverification", key | fate | {"reason": "it is gone", "evidence": Jsonb({})} | columns)

    def journal(self, run_id: str, stage: str, started_at: datetime, seconds: float | None = 1, **columns: Any) -> None:
        """Write down a stage of a run: one that succeeded, or, without seconds, one that is running."""
        ended = {"state": "running" if seconds is None else "success"}
        if seconds is not None:
            ended["finished_at"] = started_at + timedelta(seconds=seconds)
        self._insert("run_stage", {"run_id": run_id, "stage": stage, "started_at": started_at} | ended | columns)

    def sum_up(
        self, run_id: str, finished_at: datetime, phases: dict[str, tuple[int, int]] | None = None, **columns: Any
    ) -> None:
        """Sum a run up: how many domains, and addresses on them, are in each phase."""
        counted = {"in_use_count": sum(count for count, _ in (phases or {}).values()), "fresh_count": 0}
        done = dict.fromkeys(COUNTS, 0) | {name: Jsonb({}) for name in OBJECTS}
        run = {"run_id": run_id, "as_of": finished_at, "finished_at": finished_at, "state": "success", "dry_run": True}
        self._insert("run_metrics", run | {"provider": "fastly", "never_checked_count": 0} | done | counted | columns)
        for phase, (domain_count, address_count) in (phases or {}).items():
            counts = {"domain_count": domain_count, "address_count": address_count, "entered_count": 0, "left_count": 0}
            self._insert("run_phase", {"run_id": run_id, "phase": phase} | counts)

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        values = ", ".join(f"%({name})s" for name in row)
        self.execute(f"insert into lapsewatch.{table} ({names}) values ({values})", **row)

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
            ),
            hosted as (
                insert into lapsewatch.email_host (host, domain, address_count, last_seen_at)
                select domain, domain, 0, %(at)s from made
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
