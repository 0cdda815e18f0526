import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from lapsewatch.commands.story_in_words import told
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.wording import minute
from lapsewatch.stages.approve_unverifications import Answer, open_question, record_answer
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection, undo_unverifications
from lapsewatch.stories.story import Story, read_story
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.commands.conftest import Environment, Run
from tests.stages.conftest import AS_OF, Check, plan_and_unverify, rows
from tests.stages.conftest import check as check

ADDRESSES = ["alice@lapsed.com", "bob@mail.lapsed.com", "carol@alive.com"]
EXPIRING = "undelegated active expiring"
RENEWED = RdapReading(
    RdapOutcome.FOUND,
    ("active",),
    registered_at=AS_OF - timedelta(days=3000),
    expires_at=AS_OF + timedelta(days=300),
    registrar="Perpetual [red]Registrations[/red]",
)

Day = Callable[..., None]


@pytest.fixture
def lapsewatch(forked_lapsewatch: Run) -> Run:
    return forked_lapsewatch


@pytest.fixture
def database(status_url: str) -> Environment:
    return {"AIRFLOW_CONN_STATUS_DB": status_url}


@pytest.fixture
def day(check: Check, users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> Day:
    """Lets the daily run see all domains on a day, with what the status API says of lapsed.com."""
    add_addresses(*ADDRESSES)

    def run(number: int, flags: str | NoEvidenceReason = "active", **changes: Any) -> None:
        as_of = AS_OF + timedelta(days=number)
        done = check(
            {"lapsed.com": flags},
            records={"lapsed.com": RENEWED} if flags == "active" else None,
            **{"run_id": f"day-{number}", "as_of": as_of, "clock": lambda: as_of, "scope": "all"} | changes,
        )
        store_domain_status(done, status)
        plan_and_unverify(done, users, status)

    return run


def test_the_story_of_a_lapse_is_told_in_sentences(day: Day, database: Environment, lapsewatch: Run) -> None:
    for number in range(5):
        day(number)
    day(5, NoEvidenceReason.TIMEOUT)
    day(6, EXPIRING, dry_run=True)
    day(7, EXPIRING)
    done = lapsewatch("explain", "lapsed.com", env=database)
    assert done.returncode == 0, done.stderr
    story = " ".join(done.stdout.split())
    assert done.stdout.startswith("lapsed.com\n")
    assert "Addresses under it are no longer trusted" in story.replace("So addresses", "Addresses")
    assert "2026-11-01 to 2026-11-05, 5 checks alike, by the status API: the domain is registered." in story
    assert "The status API gave no evidence: no answer in time." in story
    assert "The status API said: undelegated active expiring (the last word counts most)." in story
    assert "The registry: status redemption period; registered 2010-01-01." in story
    assert "It is still open. (Run day-6.)" in story
    assert (
        "1 address on lapsed.com: verification would have been taken away on 2026-11-07 00:00 UTC (a dry run" in story
    )
    assert "1 address on mail.lapsed.com: verification taken away on" in story
    assert "The first run from 2026-11-09 00:00 UTC on asks the registry about it again." in story
    assert "Key: 1." in story
    assert "because of the lapse of 2026-11-07 00:00 UTC. Key: 2. (Run day-7.)" in story


def test_whom_each_check_asked_first_is_told(day: Day, status: Engine) -> None:
    day(0)
    make_due_by_registry(status, day=1)
    day(1, scope="due")
    make_due_by_registry(status, day=2)
    day(2, NoEvidenceReason.TIMEOUT, scope="due")
    story = in_words(status)
    assert "2026-11-01 to 2026-11-02, 2 checks alike, by the status API or the registry: the domain is" in story
    assert (
        "2026-11-03 00:00, by the registry: no evidence: nothing changes, and the next run asks again."
        " The registry: no evidence (failed)." in story
    )
    assert "on asks the status API about it again." in story
    assert [check["source"] for check in in_json(status)["checks"]] == ["status_api", "registry", "registry"]


def make_due_by_registry(status: Engine, day: int) -> None:
    with status.begin() as connection:
        query = "update lapsewatch.domain_status set next_source = 'registry', next_check_at = :due"
        connection.execute(text(query), {"due": AS_OF + timedelta(days=day)})


def test_a_renewal_ends_the_lapse_and_is_told(day: Day, database: Environment, lapsewatch: Run) -> None:
    day(0)
    day(1, EXPIRING, dry_run=True)
    day(2)
    done = lapsewatch("explain", "LAPSED.com.", env=database)
    story = " ".join(done.stdout.split())
    assert "So addresses under it keep their trust." in story
    assert "It ended on 2026-11-03 00:00 UTC: the same registration was renewed." in story
    assert "The lapse before it is over" in story
    assert "registrar Perpetual [red]Registrations[/red]" in story


def test_a_domain_without_trouble_has_a_short_story(day: Day, database: Environment, lapsewatch: Run) -> None:
    day(0)
    story = lapsewatch("explain", "alive.com", env=database).stdout
    assert story.count("\n") < 20
    assert "None." in story
    assert "No address under it has lost its verification." in story


def test_json_has_everything(day: Day, database: Environment, lapsewatch: Run) -> None:
    day(0)
    day(1, EXPIRING)
    done = lapsewatch("explain", "--json", "someone@mail.lapsed.com", env=database)
    story = json.loads(done.stdout)
    parts = ["known", "hosts", "checks", "lapses", "approvals", "unverifications", "exemptions"]
    parts += ["ended_exemptions", "unmet_exemption_count"]
    assert list(story) == ["domain", *parts]
    assert story["domain"] == "lapsed.com"
    assert story["known"]["lapsed_at"] == "2026-11-02T00:00:00+00:00"
    assert [host["host"] for host in story["hosts"]] == ["lapsed.com", "mail.lapsed.com"]
    assert [found["verdict"] for found in story["checks"]] == ["keep", "unverify"]
    assert [lapse["kind"] for lapse in story["lapses"]] == ["observed"]
    assert {row["state"] for row in story["unverifications"]} == {"unverified"}
    assert sorted(key for row in story["unverifications"] for key in row["address_keys"]) == ["1", "2"]


def in_words(status: Engine) -> str:
    """What `explain lapsed.com` says, in one line."""
    return " ".join(told(_story(status)).split())


def in_json(status: Engine) -> dict[str, Any]:
    """What `explain --json lapsed.com` says."""
    found: dict[str, Any] = json.loads(json.dumps(_story(status).as_json()))
    return found


def _story(status: Engine) -> Story:
    with status.connect() as connection:
        story = read_story(connection, "lapsed.com")
    assert story
    return story


def test_what_was_undone_is_told_with_who_and_why(day: Day, users: UserDatabase, status: Engine) -> None:
    day(0, EXPIRING)
    undo_unverifications(Selection(domain="lapsed.com"), "renewed in time", "carol", users, status, dry_run=False)
    story = in_words(status)
    assert "UTC is still open, but pardoned: nobody is unverified for it any more." in story
    assert re.search(r"It was pardoned on \S+ \S+ UTC by carol, so nobody .*? any more: renewed in time\.", story)
    assert re.search(r"1 address on lapsed\.com: verification taken away .* given back on .* by carol \(renewed", story)
    found = in_json(status)
    assert {(row["state"], row["undone_by"], row["undone_why"]) for row in found["unverifications"]} == {
        ("undone", "carol", "renewed in time")
    }
    assert all(row["undone_at"] for row in found["unverifications"])
    assert [(lapse["pardoned_by"], lapse["pardoned_why"]) for lapse in found["lapses"]] == [
        ("carol", "renewed in time")
    ]


def test_an_undo_that_died_is_told(day: Day, status: Engine) -> None:
    day(0, EXPIRING)
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.address_unverification"
                " set state = 'undoing', undone_by = 'carol', undone_why = 'why'"
            )
        )
    story = in_words(status)
    assert "1 address on lapsed.com: verification being given back by carol (why), not confirmed yet, because" in story


ANSWERS = {
    None: "Not answered yet; silence is a rejection from {} UTC on.",
    Answer.APPROVED: "Approved on 2026-11-01 02:00 UTC by alice.",
    Answer.APPROVED_UNSUSPICIOUS: "Approved, as not suspicious, on 2026-11-01 02:00 UTC by alice.",
    Answer.REJECTED: "Rejected on 2026-11-01 02:00 UTC by alice.",
}
FATES = {
    None: "verification to be taken away if a person approves (asked on 2026-11-01 00:00 UTC)",
    Answer.APPROVED: "verification to be taken away (planned on 2026-11-01 00:00 UTC, not confirmed yet)",
    Answer.APPROVED_UNSUSPICIOUS: "verification to be taken away (planned on 2026-11-01 00:00 UTC, not confirmed yet)",
    Answer.REJECTED: "left alone (planned on 2026-11-01 00:00 UTC, but not approved, or exempt)",
}


def answer_as_shown(run_id: str, answer: Answer, status: Engine, now: datetime) -> None:
    open_question(run_id, status, now=now, timeout=timedelta(hours=20))
    assert record_answer(run_id, answer, "alice", status, now=now)


@pytest.mark.parametrize("answer", ANSWERS)
def test_questions_and_answers_are_told(day: Day, status: Engine, answer: Answer | None) -> None:
    day(0, EXPIRING, limits=replace(RUN_LIMITS, addresses=1))
    if answer is not None:
        answer_as_shown("day-0", answer, status, now=AS_OF + timedelta(hours=2))
    story = in_words(status)
    expires_at = rows(status, "select expires_at from lapsewatch.unverification_approval")[0]["expires_at"]
    said = ANSWERS[answer].format(minute(expires_at))
    assert (
        "2026-11-01 00:00 UTC: asked about 2 addresses, because of the lapse of 2026-11-01 00:00 UTC. Above the"
        f" limits: the whole run: 2 addresses, the limit is 1. {said} (Run day-0.)"
    ) in story
    assert f"1 address on lapsed.com: {FATES[answer]}, because" in story
    found = in_json(status)["approvals"]
    assert [(row["run_id"], row["answer"], row["address_count"]) for row in found] == [("day-0", answer, 2)]


def test_silence_and_suspicion_are_told(day: Day, status: Engine) -> None:
    day(0, EXPIRING, limits=replace(RUN_LIMITS, addresses=1))
    day(2, EXPIRING, limits=replace(RUN_LIMITS, addresses=1))
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.approval_lapse set suspicion = 'too many' where run_id = 'day-2'"))
    answer_as_shown("day-2", Answer.APPROVED_UNSUSPICIOUS, status, now=AS_OF + timedelta(days=2))
    story = in_words(status)
    assert "Nobody answered in time, which is a rejection. (Run day-0.)" in story
    assert "It looked suspicious: too many. Rejected, as suspicious, on 2026-11-03 00:00 UTC by alice." in story


def test_exemptions_in_force_are_told(day: Day, status: Engine) -> None:
    day(0, EXPIRING, dry_run=True)
    with status.begin() as connection:
        connection.execute(
            text(
                """
                insert into lapsewatch.exemption (domain, address_key, reason, exempted_by, exempted_at, expires_at)
                values ('lapsed.com', null, 'ours', 'carol', '2026-11-01', null),
                       (null, '2', 'a friend', 'carol', '2026-11-01', '2099-01-01'),
                       (null, '3', 'on another domain', 'carol', '2026-11-01', null),
                       ('lapsed.com', null, 'over', 'carol', '2026-11-01', '2026-11-02')
                """
            )
        )
    story = in_words(status)
    assert "Exemption 1: lapsed.com, for good. Given by carol on 2026-11-01: ours" in story
    assert "Exemption 2: the address with the key 2, until 2099-01-01 00:00 UTC. Given by carol" in story
    assert "another domain" not in story
    assert "over" not in story.partition("Exemptions (")[2].partition("Exemption 1")[2]
    found = in_json(status)
    assert [(row["exemption_id"], row["is_in_force"]) for row in found["exemptions"]] == [(1, True), (2, True)]
    assert [(row["exemption_id"], row["is_in_force"]) for row in found["ended_exemptions"]] == [(4, False)]


def test_an_exemption_of_an_address_that_no_run_has_met_is_not_hidden(
    day: Day, database: Environment, lapsewatch: Run, status: Engine
) -> None:
    why = ("--why", "a friend", "--by", "carol")
    for key in ("1", "2"):
        lapsewatch("exempt", "--address", key, *why, env=database)
    lapsewatch("exempt", "--domain", "alive.com", *why, env=database)
    day(0, EXPIRING)
    assert "No address under it has lost its verification." in in_words(status)
    assert (
        "Exemptions (never unverified, whatever the evidence) Besides, 2 exemptions by key are in force for addresses"
        " that no run has met, under whatever domain they are: `lapsewatch exempt --list` shows them."
    ) in in_words(status)
    assert in_json(status)["unmet_exemption_count"] == 2
    lapsewatch("exempt", "--end", "1", *why, env=database)
    day(1, EXPIRING)
    assert "1 exemption by key is in force" in in_words(status)
    lapsewatch("exempt", "--end", "2", *why, env=database)
    assert "Exemptions" not in in_words(status)


def test_no_address_is_told(day: Day, database: Environment, lapsewatch: Run) -> None:
    day(0, EXPIRING)
    for form in ([], ["--json"]):
        done = lapsewatch("explain", *form, "alice@lapsed.com", env=database)
        assert done.returncode == 0
        assert not any(name in done.stdout + done.stderr for name in ("@", "alice", "bob"))


def test_a_domain_that_nobody_has_met_is_trouble(database: Environment, lapsewatch: Run) -> None:
    done = lapsewatch("explain", "mail.unmet.com", env=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "lapsewatch: unmet.com is not in the status database: no run has met it.\n"
    assert "well-known provider" in lapsewatch("explain", "gmail.com", env=database).stderr


def test_what_is_no_domain_is_bad_input(lapsewatch: Run) -> None:
    done = lapsewatch("explain", "some.one@localhost")
    assert (done.returncode, done.stdout) == (2, "")
    assert "some.one" not in done.stderr


def test_without_a_database_it_says_how_to_name_one(lapsewatch: Run, empty_database_url: str) -> None:
    done = lapsewatch("explain", "example.com")
    assert (done.returncode, done.stdout) == (1, "")
    assert "AIRFLOW_CONN_STATUS_DB" in done.stderr
    unmigrated = lapsewatch("explain", "example.com", env={"AIRFLOW_CONN_STATUS_DB": empty_database_url})
    assert unmigrated.returncode == 1
    assert "alembic" in unmigrated.stderr
    away = lapsewatch("explain", "example.com", env={"AIRFLOW_CONN_STATUS_DB": "postgresql://me:secret@127.0.0.1:9/x"})
    assert away.returncode == 1
    assert "can't be reached" in away.stderr
    for done in (unmigrated, away):
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr
