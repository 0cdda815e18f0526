from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lapsewatch.core.errors import SetupError
from lapsewatch.stages import plan_batches as stage
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, rows


@pytest.fixture
def known(users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> list[str]:
    domains = [f"domain{number}.com" for number in range(10)]
    add_addresses(*(f"user@{domain}" for domain in domains))
    extract_domains(RUN, users, status)
    return domains


def planned(status: Engine, run: Run) -> list[str]:
    query = "select domain from lapsewatch.domain_check where run_id = :run_id order by domain"
    return [row["domain"] for row in rows(status, query, run_id=run.run_id)]


def postpone(status: Engine, domain: str, days: int) -> None:
    with status.begin() as connection:
        connection.execute(
            text("update lapsewatch.domain_status set next_check_at = :at where domain = :domain"),
            {"at": RUN.as_of + timedelta(days=days), "domain": domain},
        )


def test_what_is_new_is_due(status: Engine, known: list[str]) -> None:
    assert plan_batches(RUN, status) == ([0], 10)
    assert planned(status, RUN) == known


def test_due_means_at_its_date_and_not_before(status: Engine, known: list[str]) -> None:
    postpone(status, "domain3.com", 30)
    plan_batches(RUN, status)
    assert planned(status, RUN) == [domain for domain in known if domain != "domain3.com"]
    later = replace(RUN, run_id="later", as_of=RUN.as_of + timedelta(days=30))
    plan_batches(later, status)
    assert "domain3.com" in planned(status, later)


def test_all_and_a_list_ask_whether_due_or_not(status: Engine, known: list[str]) -> None:
    for domain in known:
        postpone(status, domain, 30)
    assert plan_batches(RUN, status) == ([], 0)
    everything = replace(RUN, run_id="all", scope="all")
    plan_batches(everything, status)
    assert planned(status, everything) == known
    listed = replace(RUN, run_id="list", scope="list", domains=("Domain7.com", "nobody-uses.com"))
    plan_batches(listed, status)
    assert planned(status, listed) == ["domain7.com"]


def test_a_domain_without_addresses_is_not_asked_about(status: Engine, known: list[str]) -> None:
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_status set address_count = 0 where domain = 'domain1.com'"))
    plan_batches(replace(RUN, scope="all"), status)
    assert "domain1.com" not in planned(status, RUN)


@pytest.mark.parametrize(("size", "most", "expected"), [(3, 32, 4), (1, 32, 10), (1, 4, 4), (10, 32, 1)])
def test_batches_are_few_and_even(
    status: Engine, known: list[str], monkeypatch: pytest.MonkeyPatch, size: int, most: int, expected: int
) -> None:
    monkeypatch.setattr(stage, "DOMAINS_PER_BATCH", size)
    monkeypatch.setattr(stage, "MAX_BATCHES", most)
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


def test_two_attempts_at_once_plan_the_run_once(status: Engine, known: list[str]) -> None:
    with ThreadPoolExecutor(8) as attempts:
        plans = list(attempts.map(lambda _: plan_batches(RUN, status), range(8)))
    assert plans == [([0], 10)] * 8
    assert planned(status, RUN) == known


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
