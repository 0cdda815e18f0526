import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.commands.conftest import Environment, Run
from tests.stages.conftest import AS_OF, Check
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
        unverify_emails(done, users, status)

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
    assert "2026-11-01 to 2026-11-05, 5 checks alike: the domain is registered." in story
    assert "The status API gave no evidence: no answer in time." in story
    assert "The status API said: undelegated active expiring (the last word counts most)." in story
    assert "The registry: status redemption period; registered 2010-01-01." in story
    assert "It is still open. (Run day-6.)" in story
    assert (
        "1 address on lapsed.com: verification would have been taken away on 2026-11-07 00:00 UTC (a dry run" in story
    )
    assert "1 address on mail.lapsed.com: verification taken away on" in story
    assert "Key: 1." in story
    assert "because of the lapse of 2026-11-07 00:00 UTC. Key: 2. (Run day-7.)" in story


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
    assert list(story) == ["domain", "known", "hosts", "checks", "lapses", "unverifications"]
    assert story["domain"] == "lapsed.com"
    assert story["known"]["lapsed_at"] == "2026-11-02T00:00:00+00:00"
    assert [host["host"] for host in story["hosts"]] == ["lapsed.com", "mail.lapsed.com"]
    assert [found["verdict"] for found in story["checks"]] == ["keep", "unverify"]
    assert [lapse["kind"] for lapse in story["lapses"]] == ["observed"]
    assert {row["state"] for row in story["unverifications"]} == {"unverified"}
    assert sorted(key for row in story["unverifications"] for key in row["address_keys"]) == ["1", "2"]


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
