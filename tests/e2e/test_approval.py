"""A registry's outage looks like a lapsed top-level domain: nobody is unverified until a person has said so.

The question is answered through Airflow's REST API, as its pages do it, while the run waits in Airflow.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from airflow.api_fastapi.app import cached_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from lapsewatch.approval import ALL
from lapsewatch.page.addresses import unverifications_url
from sqlalchemy import select
from starlette.testclient import TestClient

from simulator.lives import Life
from tests.conftest import EPOCH, days
from tests.e2e.conftest import Installation

ALIVE = {f"alive{number}.com": Life.active(EPOCH + days(300)) for number in range(270)}
LOST = {"long-gone.org": Life.lapsing(EPOCH - days(100))}
# On the first day they are in grace, on the second in redemption.
LAPSING = {f"lapsing{number}.net": Life.lapsing(EPOCH - days(39.5)) for number in range(2)}
STRICKEN = {f"stricken{number}.dev": Life.active(EPOCH + days(300)) for number in range(11)}

# What calls itself a registry knows none of its domains any more, whomever one asks.
OUTAGE = (
    {"service": "status", "kind": "false_inactive", "tld": "dev"},
    {"service": "rdap", "kind": "not_found", "tld": "dev"},
    {"service": "dns", "kind": "nxdomain", "tld": "dev"},
)

Person = Callable[[str], None]


def owners(*groups: dict[str, Life]) -> set[str]:
    return {f"owner@{domain}" for group in groups for domain in group}


def token(name: str, role: str) -> str:
    """What Airflow gives to a user who logs in."""
    user = SimpleAuthManagerUser(username=name, role=role)
    return str(get_auth_manager().generate_jwt(user))


@pytest.fixture
def lives() -> dict[str, Life]:
    return ALIVE | LOST | LAPSING | STRICKEN


class Watched:
    """The installation after a first day like any other, and an outage that began the day after."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.internet = installation.internet
        self.web = TestClient(cached_app(), base_url="http://127.0.0.1")
        self.web.headers["Authorization"] = f"Bearer {token('ann', 'USER')}"
        self.today = EPOCH

    def run(self, person: Person) -> str:
        """Run the whole DAG; whenever it waits for an answer the person gets the address of the question."""
        with while_waiting(lambda: person(self.question_url())):
            return self.installation.run(as_of=self.today, dry_run=False, scope="all", max_rdap_calls=50)

    def next_day(self) -> None:
        self.today += days(1)
        self.internet.advance(days=1)

    @property
    def run_id(self) -> str:
        return f"manual__{self.today.isoformat()}"

    def question_url(self) -> str:
        run = f"/api/v2/dags/check_domain_status/dagRuns/{quote(self.run_id, safe='')}"
        return f"{run}/taskInstances/approve_unverifications/-1/hitlDetails"

    def answer(self, option: str, **params: str) -> Person:
        def give(url: str) -> None:
            answer = {"chosen_options": [option], "params_input": params}
            self.web.patch(url, json=answer).raise_for_status()

        return give

    def task_states(self) -> dict[str, str]:
        with create_session() as session:
            found = session.scalars(select(TaskInstance).where(TaskInstance.run_id == self.run_id))
            return {task.task_id: str(task.state) for task in found}

    def questions(self) -> list[dict[str, Any]]:
        return self.installation.status("select * from lapsewatch.unverification_approval order by asked_at")

    def approvals(self) -> list[str | None]:
        found = self.installation.status("select approval from lapsewatch.run_metrics order by as_of")
        return [row["approval"] for row in found]

    def states(self) -> dict[str, int]:
        found = self.installation.status("select state, count(*) from lapsewatch.address_unverification group by 1")
        return {row["state"]: row["count"] for row in found}


@contextmanager
def while_waiting(act: Callable[[], None]) -> Iterator[None]:
    """Act whenever `dag.test()` says that it waits: the task is parked then, and nothing else is going on."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("Waiting for Human-in-the-loop input"):
                act()

    log, ear = logging.getLogger("airflow.sdk.definitions.dag"), Ear()
    log.addHandler(ear)
    try:
        yield
    finally:
        log.removeHandler(ear)


def nobody(url: str) -> None:
    pytest.fail(f"a person is asked, at {url}")


@pytest.fixture
def watched(installation: Installation) -> Watched:
    watched = Watched(installation)
    assert watched.run(nobody) == "success"
    assert installation.unverified() == owners(LOST)
    watched.internet.order_faults(*OUTAGE)
    watched.next_day()
    return watched


def test_a_person_is_asked_with_all_that_is_needed_to_answer(watched: Watched) -> None:
    seen: dict[str, Any] = {}

    def look_and_reject(url: str) -> None:
        assert watched.task_states()["approve_unverifications"] == "awaiting_input"
        assert watched.installation.unverified() == owners(LOST)
        seen.update(watched.web.get(url).raise_for_status().json())
        [link] = re.findall(r"\]\((.*?)\)", seen["body"])
        seen["list"] = watched.web.get(link).raise_for_status().text
        # Who may only look may not answer.
        eve = {"Authorization": f"Bearer {token('eve', 'VIEWER')}"}
        answer = {"chosen_options": ["Approve"], "params_input": {"unverify": ALL}}
        assert watched.web.get(url, headers=eve).status_code == 200
        assert watched.web.patch(url, json=answer, headers=eve).status_code == 403
        watched.answer("Reject")(url)

    assert watched.run(look_and_reject) == "success"
    assert seen["subject"] == "Unverify 13 addresses on 13 domains?"
    body = seen["body"]
    assert "- the whole run: 4.6% of the verified addresses on custom domains, the limit is 1.0%" in body
    assert "- .dev: 100.0% of the domains checked in the last two days, the limit is 20.0%" in body
    assert "- .dev: 11 addresses on 11 domains, 11 suspicious" in body
    assert "- .net: 2 addresses on 2 domains\n" in body
    assert all(f"`{domain}`" in body for domain in LAPSING | STRICKEN)
    assert "owner@" not in body
    assert "<h1>13 addresses on 13 domains</h1>" in seen["list"]
    assert "waits for an answer in Airflow" in seen["list"]
    assert all(f">{domain}</a></td>" in seen["list"] for domain in LAPSING | STRICKEN)


def test_after_a_rejection_or_silence_nobody_is_unverified_and_the_next_day_starts_fresh(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watched.run(watched.answer("Reject")) == "success"
    assert watched.task_states()["unverify_emails"] == "skipped"
    assert watched.installation.unverified() == owners(LOST)

    watched.next_day()
    monkeypatch.setenv("AIRFLOW__LAPSEWATCH__APPROVAL_TIMEOUT_HOURS", str(0.5 / 3600))
    assert watched.run(stay_silent) == "success"
    assert watched.task_states()["unverify_emails"] == "skipped"
    assert watched.installation.unverified() == owners(LOST)

    said = [(question["answer"], question["answered_by"]) for question in watched.questions()]
    assert said == [("rejected", "ann"), ("rejected", None)]
    assert [question["address_count"] for question in watched.questions()] == [13, 13]

    # The registry is back. What has really lapsed is within the limits, and nobody is asked at all.
    watched.next_day()
    watched.internet.order_faults()
    assert watched.run(nobody) == "success"
    assert watched.task_states()["approve_unverifications"] == "skipped"
    assert watched.installation.unverified() == owners(LOST, LAPSING)
    assert watched.approvals() == [None, "rejected", "rejected", None]


def test_what_is_not_suspicious_may_be_approved_alone_and_all_of_it_too(watched: Watched) -> None:
    # So too if the answer leaves the choice open, as it may over the REST API.
    assert watched.run(watched.answer("Approve")) == "success"
    assert watched.installation.unverified() == owners(LOST, LAPSING)
    assert watched.states() == {"unverified": len(LOST | LAPSING), "rejected": len(STRICKEN)}
    page = watched.web.get(unverifications_url("", watched.run_id)).text
    assert "ann approved what is not suspicious, and rejected the rest" in page

    watched.next_day()
    assert watched.run(watched.answer("Approve", unverify=ALL)) == "success"
    assert set(watched.task_states().values()) == {"success"}
    assert watched.installation.unverified() == owners(LOST, LAPSING, STRICKEN)
    said = [(question["answer"], question["answered_by"]) for question in watched.questions()]
    assert said == [("approved_unsuspicious", "ann"), ("approved", "ann")]
    assert watched.approvals() == [None, "approved_unsuspicious", "approved"]


def stay_silent(url: str) -> None:
    time.sleep(0.6)
    # What the scheduler does every few seconds.
    SchedulerJobRunner(Job()).check_awaiting_input_timeouts()
