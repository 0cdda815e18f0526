"""What the tests of planning share: runs that found lapses, the questions they ask, and the answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS
from lapsewatch.stages.approve_unverifications import Answer, Question, newest_answer, open_question, record_answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, Check, Row, rows

STRICT = replace(RUN_LIMITS, addresses=2)
TIMEOUT = timedelta(hours=20)
Lapsed = Callable[..., Run]


@pytest.fixture
def lapsed(add_addresses: Callable[..., None], status: Engine, check: Check) -> Lapsed:
    """A run that found so many domains lapsed, each with one address, under each top-level domain."""

    def find(run: Run = RUN, **by_tld: int) -> Run:
        domains = [f"lapsed{number}.{tld}" for tld, count in by_tld.items() for number in range(count)]
        known = {row["domain"] for row in rows(status, "select domain from lapsewatch.domain_status")}
        add_addresses(*(f"owner@{domain}" for domain in domains if domain not in known))
        found = check(dict.fromkeys(domains, "undelegated inactive"), run)
        store_domain_status(found, status)
        return found

    return find


def unverified(user_url: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select email from user_emails where unverify_reason = 'domain status invalid'")
        return {email.removeprefix("owner@") for (email,) in found.fetchall()}


def states(status: Engine) -> dict[str, int]:
    query = "select state, count(*) as number from lapsewatch.address_unverification group by 1"
    return {row["state"]: row["number"] for row in rows(status, query)}


def questions(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.unverification_approval order by asked_at")


def ask(run: Run, status: Engine) -> Question:
    return open_question(run.run_id, status, now=run.clock(), timeout=TIMEOUT)


def answer(run: Run, said: Answer, status: Engine, by: str | None = "alice") -> bool:
    """Answer the run's question as it is shown, if it is open."""
    if newest_answer(run.run_id, status) is None:
        ask(run, status)
    return record_answer(run.run_id, said, by, status, now=run.clock())


def past_runs(status: Engine, *unverified_counts: int) -> None:
    """Real runs of the days before, which unverified so many addresses under .com each."""
    with status.begin() as connection:
        for number, count in enumerate(unverified_counts, start=1):
            values = {"run_id": f"past {number}", "as_of": RUN.as_of - timedelta(days=number), "count": count}
            connection.execute(
                text(
                    "insert into lapsewatch.run_metrics (run_id, as_of, state, finished_at, stage_seconds, provider,"
                    " dry_run, set_aside, planned_count, checked_count, no_evidence_count, no_evidence,"
                    " quarantined_count, phases, newly_lapsed_count, lapsed_domain_count, unverified_count,"
                    " api_call_count) values (:run_id, :as_of, 'success', :as_of, '{}', 'fastly', false, '{}', 0, 0, 0,"
                    " '{}', 0, '{}', 0, 0, :count, 0)"
                ),
                values,
            )
            connection.execute(
                text(
                    "with known as (insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at)"
                    " select 'past' || :run_id || number || '.com', :as_of, :as_of + interval '1 year'"
                    " from generate_series(1, :count) as number returning domain),"
                    " lapse as (insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason,"
                    " witnesses, evidence, policy, run_id) select domain, :as_of, :as_of, 'observed', 'released',"
                    " 'gone', '{flags}', '{}', 'corroborated', :run_id from known returning domain)"
                    " insert into lapsewatch.address_unverification (address_key, domain, lapsed_at, dry_run, host,"
                    " run_id, state, reason, evidence, planned_at) select domain, domain, :as_of, false, domain,"
                    " :run_id, 'unverified', 'gone', '{}', :as_of from lapse"
                ),
                values,
            )


GENEROUS = replace(RUN_LIMITS, addresses=1000, address_share=1, domain_share=1)


@pytest.fixture
def asked(lapsed: Lapsed, users: UserDatabase, status: Engine) -> Run:
    """A run above its limits: 12 domains under .dev, which is suspicious, and two under .com."""
    run = replace(
        lapsed(dev=12, com=2),
        limits=GENEROUS,
        tld_limits=replace(TLD_LIMITS, addresses=11, address_share=1, domain_share=1),
    )
    assert plan_unverifications(run, users, status)["question_count"] == 1
    return run


def exempt(status: Engine, **values: object) -> None:
    names = ", ".join(values)
    with status.begin() as connection:
        connection.execute(
            text(
                f"insert into lapsewatch.exemption (reason, exempted_by, {names})"
                f" values ('known to us', 'alice', {', '.join(f':{name}' for name in values)})"
            ),
            values,
        )


def key_of(user_url: str, domain: str) -> str:
    with psycopg.connect(user_url) as connection:
        row = connection.execute("select id::text from user_emails where email = %s", [f"owner@{domain}"]).fetchone()
    assert row
    return str(row[0])
