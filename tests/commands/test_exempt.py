import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.commands.conftest import Environment, Run
from tests.stages.conftest import Check, plan_and_unverify, rows
from tests.stages.conftest import check as check

WHY = ("--why", "the owner\nhas told us", "--by", "carol")


@pytest.fixture
def lapsewatch(forked_lapsewatch: Run) -> Run:
    return forked_lapsewatch


@pytest.fixture
def database(status_url: str) -> Environment:
    return {"AIRFLOW_CONN_STATUS_DB": status_url}


def test_what_is_exempt_is_not_unverified_until_the_exemption_ends(
    database: Environment,
    lapsewatch: Run,
    add_addresses: Callable[..., None],
    check: Check,
    users: UserDatabase,
    status: Engine,
) -> None:
    add_addresses("a@lapsed.com", "b@gone.org", "c@gone.org")
    run = check({"lapsed.com": "undelegated active expiring", "gone.org": "undelegated inactive"})
    store_domain_status(run, status)
    done = lapsewatch("exempt", "--domain", "Lapsed.com", *WHY, env=database)
    assert (done.returncode, done.stderr) == (0, "")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert done.stdout == f"Exemption 1: lapsed.com, for good. Given by carol on {today}: the owner has told us\n"
    assert lapsewatch("exempt", "--address", "2", *WHY, env=database).returncode == 0
    assert plan_and_unverify(run, users, status)["unverified_count"] == 1
    assert lapsewatch("exempt", "--end", "1", *WHY, env=database).returncode == 0
    assert plan_and_unverify(run, users, status)["unverified_count"] == 1
    listed = lapsewatch("exempt", "--list", env=database).stdout
    assert re.findall(r"Exemption (\d+): ([^,]+)", listed) == [("2", "the address with the key 2")]


def test_an_exemption_holds_to_the_end_of_its_last_day(database: Environment, lapsewatch: Run, status: Engine) -> None:
    today = datetime.now(UTC).date()
    done = lapsewatch("exempt", "--domain", "example.com", *WHY, "--until", f"{today}", env=database)
    assert f"until {today + timedelta(days=1)} 00:00 UTC" in done.stdout
    over = lapsewatch("exempt", "--domain", "example.org", *WHY, "--until", "2026-01-01", env=database)
    assert (over.returncode, over.stderr) == (2, "lapsewatch: --until is a day that is over\n")
    assert rows(status, "select domain from lapsewatch.exemption_in_force") == [{"domain": "example.com"}]


def test_what_nobody_knows_is_exempt_with_a_warning(
    database: Environment,
    lapsewatch: Run,
    reader_url: str,
    unverifier_url: str,
    add_addresses: Callable[..., None],
    check: Check,
    status: Engine,
) -> None:
    add_addresses("a@lapsed.com")
    check({})
    users = {"AIRFLOW_CONN_USER_DB": reader_url, "AIRFLOW_CONN_USER_DB_UNVERIFIER": unverifier_url}

    def warned(*what: str, also: Environment) -> str:
        done = lapsewatch("exempt", *what, *WHY, env=database | also)
        assert done.returncode == 0
        assert done.stdout.startswith("Exemption ")
        return done.stderr

    assert warned("--domain", "lapsed.com", also={}) == ""
    assert warned("--domain", "lasped.com", also={}) == (
        "lapsewatch: no run has met lasped.com so far: is that the domain?\n"
    )
    assert warned("--address", "1", also=users) == ""
    for key in ("01", "99"):
        assert warned("--address", key, also=users) == (
            "lapsewatch: the user database shows no verified address of that key: is that the key?\n"
        )
    assert "nobody can tell whether there is one" in warned("--address", "1", also={})
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.exemption (domain, reason, exempted_by)"
                " values ('mail.lapsed.com', 'by SQL', 'carol')"
            )
        )
    listed = lapsewatch("exempt", "--list", env=database).stdout.splitlines()
    assert len(listed) == 7
    unmet = [line for line in listed if line.endswith(" (No run has met this domain.)")]
    assert [line.split()[2] for line in unmet] == ["lasped.com,", "mail.lapsed.com,"]


def test_who_ends_an_exemption_and_why_is_kept(database: Environment, lapsewatch: Run, status: Engine) -> None:
    lapsewatch("exempt", "--domain", "example.com", *WHY, env=database)
    end = ("exempt", "--end", "1", "--why", "the domain\nis sold", "--by", "dave")
    done = lapsewatch(*end, env=database)
    assert (done.returncode, done.stderr) == (0, "")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert done.stdout.endswith(
        f" UTC. Given by carol on {today}: the owner has told us; ended by dave: the domain is sold\n"
    )
    kept = rows(status, "select exempted_by, ended_by, ended_why from lapsewatch.exemption")
    assert kept == [{"exempted_by": "carol", "ended_by": "dave", "ended_why": "the domain is sold"}]
    # What is over is not ended again, by nobody.
    assert lapsewatch("exempt", "--end", "1", *WHY, env=database).returncode == 1
    assert rows(status, "select exempted_by, ended_by, ended_why from lapsewatch.exemption") == kept


def test_nothing_to_list_and_nothing_to_end(database: Environment, lapsewatch: Run) -> None:
    assert lapsewatch("exempt", "--list", env=database).stdout == "Nothing is exempt.\n"
    done = lapsewatch("exempt", "--end", "7", *WHY, env=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "lapsewatch: no exemption of that number is in force\n"


@pytest.mark.parametrize(
    ("arguments", "trouble"),
    [
        (["--domain", "mail.example.com", *WHY], "name example.com, it counts for all of it"),
        (["--domain", "com", *WHY], "public suffix"),
        (["--domain", "someone@example.com", *WHY], "--domain is given an address"),
        (["--address", "someone@example.com", *WHY], "never the address"),
        (["--address", " ", *WHY], "never the address"),
        (["--domain", "example.com"], "say --why"),
        (["--domain", "example.com", "--why", " \t "], "--why is blank"),
        (["--domain", "example.com", "--why", "asked by someone@example.com"], "--why holds an e-mail address"),
        (["--domain", "example.com", "--why", "so", "--by", "someone@example.com"], "--by holds an e-mail address"),
        (["--list", "--why", "so"], "given or ended"),
        (["--end", "1"], "say --why"),
        (["--end", "1", "--why", "asked by someone@example.com"], "--why holds an e-mail address"),
        (["--end", "1", *WHY, "--until", "2126-01-01"], "for a new exemption"),
        (["--domain", "example.com", "--list"], "not allowed with"),
        (["--domain", "example.com", *WHY, "--until", "tomorrow"], "--until"),
        ([], "required"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], trouble: str, database: Environment, lapsewatch: Run, status: Engine
) -> None:
    done = lapsewatch("exempt", *arguments, env=database)
    assert (done.returncode, done.stdout) == (2, "")
    assert trouble in done.stderr
    assert "someone" not in done.stderr
    assert rows(status, "select * from lapsewatch.exemption") == []


def test_who_exempts_is_by_default_who_is_logged_in(database: Environment, lapsewatch: Run, status: Engine) -> None:
    lapsewatch("exempt", "--domain", "example.com", "--why", "ours", env=database | {"LOGNAME": "dave"})
    assert rows(status, "select exempted_by from lapsewatch.exemption") == [{"exempted_by": "dave"}]
