import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lapsewatch.core.errors import SetupError
from lapsewatch.stages import plan_batches as planning
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.status_database.journal import stage
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, event, text

from tests.stages.conftest import RUN, Row, answer_batch, forget_answer, rows

DUE = replace(RUN, run_id="due", scope="due")


@pytest.fixture
def known(users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> list[str]:
    domains = [f"domain{number}.com" for number in range(10)]
    add_addresses(*(f"user@{domain}" for domain in domains))
    extract_domains(RUN, users, status)
    return domains


def planned(status: Engine, run: Run) -> list[str]:
    query = """
        select domain
        from lapsewatch.domain_check
        join lapsewatch.run_plan using (run_id, planned_at)
        where run_id = :run_id
        order by domain
    """
    return [row["domain"] for row in rows(status, query, run_id=run.run_id)]


def postpone(status: Engine, domain: str, days: int) -> None:
    with status.begin() as connection:
        connection.execute(
            text("update lapsewatch.domain_status set next_check_at = :at where domain = :domain"),
            {"at": RUN.as_of + timedelta(days=days), "domain": domain},
        )


def test_due_means_at_its_date_and_not_before(status: Engine, known: list[str]) -> None:
    for domain in known:
        postpone(status, domain, 30 if domain == "domain3.com" else 0)
    assert plan_batches(DUE, status) == ([0], 9)
    assert planned(status, DUE) == [domain for domain in known if domain != "domain3.com"]
    later = replace(DUE, run_id="later", as_of=RUN.as_of + timedelta(days=30))
    plan_batches(later, status)
    assert "domain3.com" in planned(status, later)


def test_all_and_a_list_ask_whether_due_or_not(status: Engine, known: list[str]) -> None:
    for domain in known:
        postpone(status, domain, 30)
    assert plan_batches(DUE, status) == ([], 0)
    everything = replace(RUN, run_id="all", scope="all")
    plan_batches(everything, status)
    assert planned(status, everything) == known
    listed = replace(RUN, run_id="list", scope="list", domains=("Domain7.com", "nobody-uses.com"))
    plan_batches(listed, status)
    assert planned(status, listed) == ["domain7.com"]


def test_a_domain_without_addresses_is_not_asked_about(status: Engine, known: list[str]) -> None:
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_status set address_count = 0 where domain = 'domain1.com'"))
    plan_batches(RUN, status)
    assert "domain1.com" not in planned(status, RUN)


@pytest.mark.parametrize(("size", "most", "expected"), [(3, 32, 4), (1, 32, 10), (1, 4, 4), (10, 32, 1)])
def test_batches_are_few_and_even(
    status: Engine, known: list[str], monkeypatch: pytest.MonkeyPatch, size: int, most: int, expected: int
) -> None:
    monkeypatch.setattr(planning, "DOMAINS_PER_BATCH", size)
    monkeypatch.setattr(planning, "MAX_BATCHES", most)
    assert plan_batches(RUN, status) == (list(range(expected)), 10)
    sizes = rows(status, "select count(*) as size from lapsewatch.domain_check group by batch")
    assert max(row["size"] for row in sizes) - min(row["size"] for row in sizes) <= 1


def test_a_run_is_planned_once(
    status: Engine, known: list[str], users: UserDatabase, add_addresses: Callable[..., None]
) -> None:
    plan_batches(RUN, status)
    add_addresses("user@late.com")
    extract_domains(RUN, users, status)
    plan_batches(RUN, status)
    assert planned(status, RUN) == known


@pytest.fixture
def hesitant(status: Engine) -> None:
    """Between looking for a plan and making one there is time for another attempt to look too."""

    def hesitate(_connection: Any, _cursor: Any, query: str, *_: Any) -> None:
        if query.startswith("select clear_number"):
            time.sleep(0.2)

    event.listen(status, "after_cursor_execute", hesitate)


def test_two_attempts_at_once_plan_the_run_once(status: Engine, known: list[str], hesitant: None) -> None:
    with ThreadPoolExecutor(8) as attempts:
        plans = list(attempts.map(lambda _: plan_batches(RUN, status), range(8)))
    assert plans == [([0], 10)] * 8
    assert planned(status, RUN) == known
    assert len(checks(status)) == 10


def checks(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.domain_check order by planned_at, domain")


@pytest.mark.parametrize(
    ("urgent_count", "urgent_batches", "batches"), [(0, 0, 4), (1, 1, 4), (5, 2, 4), (9, 3, 4), (10, 4, 4)]
)
def test_the_first_batches_are_the_urgent_domains(
    status: Engine,
    known: list[str],
    monkeypatch: pytest.MonkeyPatch,
    urgent_count: int,
    urgent_batches: int,
    batches: int,
) -> None:
    monkeypatch.setattr(planning, "DOMAINS_PER_BATCH", 3)
    with status.begin() as connection:
        connection.execute(
            text("update lapsewatch.domain_status set verdict = 'keep' where domain <> all(:urgent)"),
            {"urgent": known[10 - urgent_count :]},
        )
    assert plan_batches(RUN, status) == (list(range(batches)), 10)
    of_urgent = {row["batch"] for row in checks(status) if row["domain"] in known[10 - urgent_count :]}
    of_others = {row["batch"] for row in checks(status) if row["domain"] in known[: 10 - urgent_count]}
    assert of_urgent == set(range(urgent_batches))
    assert of_others == set(range(urgent_batches, batches))


@pytest.fixture
def answered(status: Engine, known: list[str]) -> Run:
    """A run whose domains have been answered and published: all but the last one, which is still open."""
    for domain in known:
        postpone(status, domain, 0)
    plan_batches(DUE, status)
    answer_batch(DUE, 0, {"domain0.com": "undelegated"}, status)
    forget_answer(status, DUE.run_id, "domain9.com")
    store_domain_status(DUE, status)
    return DUE


def test_a_cleared_run_keeps_its_plan_and_asks_only_what_is_open(status: Engine, answered: Run) -> None:
    assert plan_batches(replace(answered, clear_number=1), status) == ([0], 10)
    assert [row["domain"] for row in checks(status) if row["checked_at"] is None] == ["domain9.com"]
    assert len(checks(status)) == 10


def test_told_to_ask_again_it_is_planned_anew_once_each_time_it_was_cleared(
    status: Engine, known: list[str], answered: Run
) -> None:
    """Also what has been answered since, and is due no more; a mere retry keeps the plan."""
    before = checks(status)
    again = replace(answered, recheck=True, clear_number=1)
    assert plan_batches(replace(again, clear_number=0), status) == ([0], 10)
    assert checks(status) == before
    for clear_number in (1, 2):
        cleared = replace(again, clear_number=clear_number)
        for _ in range(2):
            # The two that are not known to be good have a batch of their own.
            assert plan_batches(cleared, status) == ([0, 1], 10)
            assert len(checks(status)) == 10 * (clear_number + 1)
            assert planned(status, cleared) == known
    # The earlier plans stay as history, with what was answered.
    assert checks(status)[:10] == before
    [plan] = rows(status, "select clear_number, recheck, domain_count, batch_count from lapsewatch.run_plan")
    assert plan == {"clear_number": 2, "recheck": True, "domain_count": 10, "batch_count": 2}


def test_two_attempts_at_once_plan_anew_once(status: Engine, answered: Run, hesitant: None) -> None:
    again = replace(answered, recheck=True, clear_number=1)
    with ThreadPoolExecutor(8) as attempts:
        plans = list(attempts.map(lambda _: plan_batches(again, status), range(8)))
    assert plans == [([0, 1], 10)] * 8
    assert len(checks(status)) == 20


def test_nothing_of_an_earlier_plan_is_counted_or_published_again(status: Engine, answered: Run) -> None:
    again = replace(answered, recheck=True, clear_number=1)
    with stage(status, again.run_id, "check_batch", 7) as counts:
        counts |= {"evidence": 1}
    for batch in plan_batches(again, status)[0]:
        answer_batch(again, batch, {}, status)
    assert store_domain_status(again, status)["merged_count"] == 10
    summarise_run(again, status)
    [metrics] = rows(status, "select * from lapsewatch.run_metrics")
    assert (metrics["planned_count"], metrics["checked_count"], metrics["api_call_count"]) == (10, 10, 10)
    assert metrics["phases"] == {"active": 10}
    # A batch that the new plan does not have is not its to answer for.
    assert rows(status, "select * from lapsewatch.run_stage where batch = 7") == []


def test_answers_of_an_earlier_plan_are_not_published_by_the_new_one(status: Engine, known: list[str]) -> None:
    plan_batches(RUN, status)
    answer_batch(RUN, 0, {}, status)
    again = replace(RUN, recheck=True, clear_number=1)
    plan_batches(again, status)
    assert store_domain_status(again, status)["merged_count"] == 0


def test_what_has_left_the_users_is_not_asked_again(status: Engine, answered: Run) -> None:
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_status set address_count = 0 where domain = 'domain1.com'"))
    assert plan_batches(replace(answered, recheck=True, clear_number=1), status) == ([0, 1], 9)


@pytest.mark.parametrize("changes", [{"domains": ()}, {"domains": ("good.com", "co.uk")}, {"scope": "all"}])
def test_a_list_that_makes_no_sense_is_refused_and_not_repeated(
    status: Engine, known: list[str], changes: dict[str, Any]
) -> None:
    run = replace(RUN, **({"scope": "list", "domains": ("me@example.com",)} | changes))
    with pytest.raises(SetupError, match="'domains'") as raised:
        plan_batches(run, status)
    assert "me@" not in str(raised.value)
    assert planned(status, run) == []


def test_a_list_becomes_registrable_domains_each_once() -> None:
    run = replace(RUN, scope="list", domains=("Example.com", "mail.example.com", " münchen.de "))
    assert run.listed_domains() == ["example.com", "xn--mnchen-3ya.de"]
