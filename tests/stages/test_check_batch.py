import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lapsewatch.clients.budget import MemoryCallBudget
from lapsewatch.clients.domainr import DomainrClient
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.core.call_budget import Allowance
from lapsewatch.core.errors import BudgetSpent, SetupError, Unavailable
from lapsewatch.stages.check_batch import check_batch
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.status_database import open_batch
from lapsewatch.status_database.open_batch import OpenBatch
from lapsewatch.status_database.statements import statement
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.conftest import API_KEY, LAPSED, LIVES, SimulatedInternet
from tests.stages.conftest import RUN, rows

ALLOWANCE = Allowance(requests_per_second=500, max_in_flight=8)
ONE_BY_ONE = Allowance(requests_per_second=500, max_in_flight=1)


def budget(allowance: Allowance = ALLOWANCE) -> MemoryCallBudget:
    return MemoryCallBudget(allowance)


@pytest.fixture
def extracted(users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> None:
    add_addresses(*(f"user@{domain}" for domain in LIVES))
    extract_domains(RUN, users, status)


@pytest.fixture
def planned(extracted: None, status: Engine) -> None:
    plan_batches(RUN, status)


@pytest.fixture
def client(internet: SimulatedInternet) -> FastlyClient:
    return FastlyClient(HttpSession(8), internet.url, API_KEY)


def test_evidence_is_written_with_what_it_means_and_what_else_to_ask(
    planned: None, status: Engine, client: FastlyClient
) -> None:
    check_batch(RUN, 0, client, budget(), status)
    found = rows(status, "select domain, phase, verdict, outcome, need from lapsewatch.domain_check")
    assert {row["domain"]: row["need"] for row in found} == {
        domain: "doubt" if domain in LAPSED else "date" for domain in LIVES
    }
    assert {row["outcome"] for row in found} == {"evidence"}
    assert {row["domain"]: (row["phase"], row["verdict"]) for row in found} == {
        "alive.com": ("active", "keep"),
        "alive.co.uk": ("active", "keep"),
        "ingrace.net": ("active", "keep"),
        "redeemable.org": ("redemption", "watch"),
        "deleted.io": ("pending_delete", "watch"),
        "released.dev": ("released", "watch"),
        "taken.net": ("active", "keep"),
        "xn--mnchen-3ya.de": ("active", "keep"),
    }


def test_the_next_call_about_a_domain_without_a_registry_is_as_far_off_as_the_plan_says(
    planned: None, status: Engine, client: FastlyClient
) -> None:
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.run_plan set api_interval = 5"))
    check_batch(RUN, 0, client, budget(), status)
    plain = "select checked_at, next_check_at, next_source from lapsewatch.domain_check where verdict = 'keep'"
    for row in rows(status, plain):
        assert row["next_check_at"] - row["checked_at"] <= timedelta(days=5)
        assert row["next_source"] == "status_api"


def test_an_unknown_status_is_no_evidence(
    planned: None, status: Engine, client: FastlyClient, internet: SimulatedInternet
) -> None:
    internet.order_faults({"kind": "unknown_storm"})
    check_batch(RUN, 0, client, budget(), status)
    found = rows(status, "select distinct outcome, no_evidence_reason, verdict from lapsewatch.domain_check")
    assert found == [{"outcome": "no_evidence", "no_evidence_reason": "provider_unknown", "verdict": "watch"}]


def test_what_gave_no_evidence_is_logged_by_reason(
    planned: None, status: Engine, client: FastlyClient, internet: SimulatedInternet, caplog: pytest.LogCaptureFixture
) -> None:
    internet.order_faults(
        {"kind": "not_json", "domains": ["alive.com"], "times": 4}, {"kind": "unknown_flag", "domains": ["taken.net"]}
    )
    counts = check_batch(RUN, 0, client, budget(), status)
    assert counts["no_evidence_reasons"] == {"not_json": 1, "unknown_flag": 1}
    assert "'unknown_flag': 1" in caplog.text
    assert API_KEY not in caplog.text


def test_run_again_it_asks_only_what_is_open(
    planned: None, status: Engine, client: FastlyClient, internet: SimulatedInternet
) -> None:
    check_batch(RUN, 0, client, budget(), status)
    with status.begin() as connection:
        connection.execute(
            text("update lapsewatch.domain_check set checked_at = null where domain in ('alive.com', 'taken.net')")
        )
    internet.forget_calls()
    check_batch(RUN, 0, client, budget(), status)
    assert internet.calls()["by_domain"] == {"alive.com": 1, "taken.net": 1}


def test_a_refused_key_says_what_to_do_and_writes_nothing_false(
    planned: None, status: Engine, internet: SimulatedInternet
) -> None:
    with pytest.raises(SetupError, match="'fastly_api'") as raised:
        check_batch(RUN, 0, FastlyClient(HttpSession(8), internet.url, "wrong"), budget(), status)
    assert "wrong" not in str(raised.value)
    assert rows(status, "select 1 from lapsewatch.domain_check where checked_at is not null") == []


def test_the_raw_answer_is_kept_without_the_key(planned: None, status: Engine, client: FastlyClient) -> None:
    check_batch(RUN, 0, client, budget(), status)
    raw = [row["raw"] for row in rows(status, "select raw from lapsewatch.domain_check")]
    assert all("status" in answer for answer in raw)
    assert API_KEY not in " ".join(raw)


def test_answers_before_a_refused_key_are_kept(
    planned: None, status: Engine, client: FastlyClient, internet: SimulatedInternet
) -> None:
    # In the order of the alphabet, one at a time: "redeemable.org" is the sixth of eight.
    internet.order_faults({"kind": "refused", "status": 403, "domains": ["redeemable.org"]})
    with pytest.raises(SetupError, match="refuses the key"):
        check_batch(RUN, 0, client, budget(ONE_BY_ONE), status)
    kept = rows(status, "select domain from lapsewatch.domain_check where checked_at is not null order by 1")
    assert [row["domain"] for row in kept] == ["alive.co.uk", "alive.com", "deleted.io", "ingrace.net"]


def test_the_first_answer_stands(planned: None, status: Engine, client: FastlyClient) -> None:
    check_batch(RUN, 0, client, budget(), status)
    before = rows(status, "select * from lapsewatch.domain_check order by domain")
    late = [{"domain": "alive.com", "outcome": "evidence", "phase": "released", "checked_at": "2026-11-02T00:00:00Z"}]
    values = {
        "run_id": RUN.run_id,
        "planned_at": before[0]["planned_at"],
        "batch": 0,
        "provider": "fastly",
        "policy": "corroborated",
        "answers": json.dumps(late),
        "domains": ["alive.com"],
    }
    with status.begin() as connection:
        connection.execute(statement("record_answers"), values)
    assert rows(status, "select * from lapsewatch.domain_check order by domain") == before


def test_the_provider_is_who_answered(planned: None, status: Engine, internet: SimulatedInternet) -> None:
    check_batch(RUN, 0, DomainrClient(HttpSession(8), internet.url, API_KEY), budget(), status)
    assert rows(status, "select distinct provider from lapsewatch.domain_check") == [{"provider": "domainr"}]


DAYS_CALLS = Allowance(requests_per_second=500, max_in_flight=1, calls_per_day=3)


def test_a_spent_budget_leaves_the_rest_open_and_due(
    planned: None, status: Engine, client: FastlyClient, internet: SimulatedInternet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counts = check_batch(RUN, 0, client, budget(DAYS_CALLS), status)
    assert counts == {"evidence": 3, "no_evidence_reasons": {}}
    assert internet.calls()["total"] == 3
    assert len(rows(status, "select 1 from lapsewatch.domain_check where checked_at is null")) == len(LIVES) - 3
    assert "the rest stays due" in caplog.text


def test_a_spent_budget_stops_a_backfill_until_there_are_more_calls(
    planned: None, status: Engine, client: FastlyClient
) -> None:
    with pytest.raises(BudgetSpent):
        check_batch(replace(RUN, is_backfill=True), 0, client, budget(DAYS_CALLS), status)
    assert len(rows(status, "select 1 from lapsewatch.domain_check where checked_at is not null")) == 3


def set_verdict(status: Engine, verdict: str, *domains: str) -> None:
    with status.begin() as connection:
        connection.execute(
            text("update lapsewatch.domain_status set verdict = :verdict where domain = any(:domains)"),
            {"verdict": verdict, "domains": list(domains)},
        )


def test_a_short_budget_goes_to_what_is_watched_or_was_never_read(
    extracted: None, status: Engine, client: FastlyClient, internet: SimulatedInternet
) -> None:
    set_verdict(status, "keep", *[*LIVES][:-1])
    set_verdict(status, "unverify", "taken.net")
    set_verdict(status, "watch", "released.dev")
    assert plan_batches(RUN, status) == ([0, 1], len(LIVES))
    shared = budget(DAYS_CALLS)
    for batch in (0, 1):
        check_batch(RUN, batch, client, shared, status)
    assert set(internet.calls()["by_domain"]) == {"taken.net", "released.dev", "xn--mnchen-3ya.de"}


@pytest.mark.parametrize(("before", "after"), [("keep", "watch"), ("watch", "keep")])
def test_what_another_run_publishes_meanwhile_is_asked_once_all_the_same(
    planned: None,
    status: Engine,
    client: FastlyClient,
    internet: SimulatedInternet,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    after: str,
) -> None:
    monkeypatch.setattr(open_batch, "PAGE", 3)
    set_verdict(status, before, *LIVES)
    read = OpenBatch._page

    def read_and_publish(self: OpenBatch, last: str) -> list[tuple[str, Any]]:
        found = read(self, last)
        set_verdict(status, after, "alive.com", "taken.net")
        return found

    monkeypatch.setattr(OpenBatch, "_page", read_and_publish)
    check_batch(RUN, 0, client, budget(), status)
    assert internet.calls()["by_domain"] == dict.fromkeys(LIVES, 1)


def test_a_batch_with_open_rows_is_no_success(
    planned: None, status: Engine, client: FastlyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = OpenBatch._page
    monkeypatch.setattr(OpenBatch, "_page", lambda self, last: read(self, last)[1:])
    with pytest.raises(Unavailable, match="1 of the batch's domains were not asked"):
        check_batch(RUN, 0, client, budget(), status)


def test_a_batch_is_read_in_pages(
    planned: None,
    status: Engine,
    client: FastlyClient,
    internet: SimulatedInternet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_batch, "PAGE", 3)
    check_batch(RUN, 0, client, budget(), status)
    assert internet.calls()["by_domain"] == dict.fromkeys(LIVES, 1)


def test_what_is_known_of_a_domain_is_weighed_and_kept(planned: None, status: Engine, client: FastlyClient) -> None:
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.domain_status set phase = 'redemption', checked_at = now(), verdict = 'watch',"
                " adverse_since = '2026-10-30' where domain = 'redeemable.org'"
            )
        )
    check_batch(RUN, 0, client, budget(), status)
    [row] = rows(status, "select * from lapsewatch.domain_check where domain = 'redeemable.org'")
    assert row["verdict"] == "unverify"
    assert row["previous"] == {"phase": "redemption", "adverse_since": "2026-10-30T00:00:00+00:00"}


def test_progress_is_told(
    planned: None, status: Engine, client: FastlyClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    check_batch(RUN, 0, client, budget(), status)
    assert f"Batch 0: {len(LIVES)} of {len(LIVES)} answered" in caplog.text
