from collections.abc import Callable

import psycopg
import pytest
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.commands.conftest import Environment, Run
from tests.stages.conftest import Check, plan_and_unverify, rows
from tests.stages.conftest import check as check

RUN_ID = "scheduled__2026-11-01T00:00:00+00:00"
ADDRESSES = ["alice@lapsed.com", "bob@lapsed.com", "carol@gone.org", "dave@alive.com"]
WHY = ("--why", "an outage of the registry", "--by", "erin")


@pytest.fixture
def lapsewatch(forked_lapsewatch: Run) -> Run:
    return forked_lapsewatch


@pytest.fixture
def databases(
    status_url: str, reader_url: str, unverifier_url: str, add_addresses: Callable[..., None], check: Check,
    users: UserDatabase, status: Engine,
) -> Environment:  # fmt: skip
    """The environment of somebody who may undo, after a run that has unverified three addresses."""
    add_addresses(*ADDRESSES)
    run = check({"lapsed.com": "undelegated active expiring", "gone.org": "undelegated inactive"}, run_id=RUN_ID)
    store_domain_status(run, status)
    plan_and_unverify(run, users, status)
    return {
        "AIRFLOW_CONN_STATUS_DB": status_url,
        "AIRFLOW_CONN_USER_DB": reader_url,
        "AIRFLOW_CONN_USER_DB_UNVERIFIER": unverifier_url,
    }


def trusted(user_url: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        return {email for (email,) in connection.execute("select email from user_emails where verified")}


def test_it_says_first_and_then_does(databases: Environment, lapsewatch: Run, user_url: str, status: Engine) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = true, unverify_reason = null where email = 'alice@lapsed.com'"
        )
    [today] = {f"{row['lapsed_at']:%Y-%m-%d}" for row in rows(status, "select lapsed_at from lapsewatch.domain_lapse")}
    would = lapsewatch("undo", "--run", RUN_ID, *WHY, env=databases)
    assert (would.returncode, would.stderr) == (0, "")
    assert would.stdout == (
        "Dry run: nothing is changed. The same with --apply does it.\n"
        "gone.org: 1 would be verified again\n"
        f"  1 taken for the lapse of {today}: not registered. Run {RUN_ID}.\n"
        "lapsed.com: 1 would be verified again, 1 left alone (verified again since)\n"
        f"  1 taken for the lapse of {today}: in redemption (not renewed; only a paid restore brings it back)."
        f" Run {RUN_ID}.\n"
        "In all: 2 addresses would be verified again, 1 left alone.\n"
        "2 lapses would be pardoned: nobody is unverified for a pardoned lapse any more.\n"
    )
    assert trusted(user_url) == {"alice@lapsed.com", "dave@alive.com"}
    done = lapsewatch("undo", "--run", RUN_ID, *WHY, "--apply", env=databases)
    assert done.stdout == (
        "gone.org: 1 verified again\n"
        f"  1 taken for the lapse of {today}: not registered. Run {RUN_ID}.\n"
        "lapsed.com: 1 verified again, 1 left alone (verified again since)\n"
        f"  1 taken for the lapse of {today}: in redemption (not renewed; only a paid restore brings it back)."
        f" Run {RUN_ID}.\n"
        "In all: 2 addresses verified again, 1 left alone.\n"
        "2 lapses pardoned: nobody is unverified for a pardoned lapse any more.\n"
    )
    assert trusted(user_url) == set(ADDRESSES)
    again = lapsewatch("undo", "--run", RUN_ID, *WHY, "--apply", env=databases)
    assert again.returncode == 0
    assert "In all: 0 addresses verified again, 1 left alone. 2 had been before.\n" in again.stdout
    for told in (would, done, again):
        assert "@" not in told.stdout


def test_a_domain_or_an_address_is_undone_alone(
    databases: Environment, lapsewatch: Run, user_url: str, status: Engine
) -> None:
    assert lapsewatch("undo", "--domain", "gone.org", "--run", "another", *WHY, env=databases).returncode == 1
    done = lapsewatch("undo", "--domain", "GONE.org.", "--run", RUN_ID, *WHY, "--apply", env=databases)
    assert done.stdout.startswith("gone.org: 1 verified again\n")
    assert trusted(user_url) == {"carol@gone.org", "dave@alive.com"}
    done = lapsewatch("undo", "--address", "2", "--why", "ticket 4711", "--apply", env=databases | {"LOGNAME": "fred"})
    assert "pardoned" not in done.stdout
    assert trusted(user_url) == {"bob@lapsed.com", "carol@gone.org", "dave@alive.com"}
    found = rows(status, "select undone_by, undone_why from lapsewatch.address_unverification where address_key = '2'")
    assert found == [{"undone_by": "fred", "undone_why": "ticket 4711"}]


def test_an_address_whose_turn_has_not_come_is_given_up(
    databases: Environment, lapsewatch: Run, user_url: str, status: Engine
) -> None:
    undone = "update user_emails set verified = true, unverify_reason = null, domain_last_checked = null"
    with psycopg.connect(user_url) as connection:
        connection.execute(undone)
    with status.begin() as planned:
        planned.execute(text("update lapsewatch.address_unverification set state = 'planned', settled_at = null"))
    would = lapsewatch("undo", "--address", "2", *WHY, env=databases)
    assert "lapsed.com: 0 would be verified again, 1 would be given up before its turn\n" in would.stdout
    done = lapsewatch("undo", "--address", "2", *WHY, "--apply", env=databases)
    assert done.stdout.startswith("lapsed.com: 0 verified again, 1 given up before its turn\n")
    assert [row["state"] for row in rows(status, "select * from lapsewatch.address_unverification order by 1")] == [
        "planned", "skipped", "planned"
    ]  # fmt: skip


@pytest.mark.parametrize("selection", [["--run", "alice@lapsed.com"], ["--domain", "alive.com"], ["--address", "99"]])
def test_where_nothing_was_taken_away_it_is_trouble(
    selection: list[str], databases: Environment, lapsewatch: Run
) -> None:
    for form in ([], ["--apply"]):
        done = lapsewatch("undo", *selection, *WHY, *form, env=databases)
        assert (done.returncode, done.stdout) == (1, "")
        assert "taken a verification away" in done.stderr or "has lost its verification" in done.stderr
        assert "@" not in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "trouble"),
    [
        (["--domain", "mail.lapsed.com", *WHY], "name lapsed.com"),
        (["--domain", "alice@lapsed.com", *WHY], "--domain is given an address"),
        (["--address", "alice@lapsed.com", *WHY], "never the address"),
        (["--domain", "lapsed.com", "--why", " "], "--why is blank"),
        (["--domain", "lapsed.com", "--why", "alice@lapsed.com says so"], "--why holds an e-mail address"),
        (["--domain", "lapsed.com"], "--why"),
        (["--domain", "lapsed.com", "--address", "1", *WHY], "or else --address"),
        (["--domain", "lapsed.com", "--run", RUN_ID, "--address", "1", *WHY], "or else --address"),
        (list(WHY), "say what is undone: --run, --domain, or both, or else --address"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], trouble: str, lapsewatch: Run) -> None:
    done = lapsewatch("undo", *arguments, "--apply")
    assert (done.returncode, done.stdout) == (2, "")
    assert trouble in done.stderr
    assert "alice" not in done.stderr


def test_databases_that_are_not_there_are_trouble(databases: Environment, lapsewatch: Run, reader_url: str) -> None:
    away = "postgresql://me:secret@127.0.0.1:9/x"
    for change, trouble in [
        ({"AIRFLOW_CONN_USER_DB_UNVERIFIER": away}, "the user database can't be reached"),
        ({"AIRFLOW_CONN_USER_DB_UNVERIFIER": reader_url}, "the user database refused a statement"),
        ({"AIRFLOW_CONN_STATUS_DB": away}, "the status database can't be reached"),
    ]:
        done = lapsewatch("undo", "--run", RUN_ID, *WHY, "--apply", env=databases | change)
        assert (done.returncode, done.stdout) == (1, "")
        assert trouble in done.stderr
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr
