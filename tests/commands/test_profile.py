import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import psycopg
import pytest
from lapsewatch.user_databases.profile import load_profile, profile_names, read_declaration
from lapsewatch.user_databases.weaknesses import weaknesses

from local import postgres, privileges
from local.checkout import PLUGINS, ROOT

Profile = Callable[..., CompletedProcess[str]]


@pytest.fixture
def profile(home: Path) -> Profile:
    """Run `lapsewatch profile ...` to its end, with nothing in its environment."""

    def run(*arguments: str, given: str = "") -> CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lapsewatch", "profile", *arguments],
            input=given,
            env={
                "HOME": str(home),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(PLUGINS),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_list_has_a_row_a_profile(profile: Profile) -> None:
    done = profile("list")
    assert done.returncode == 0
    for name in profile_names():
        assert f" {name} " in done.stdout
        assert load_profile(name).title.partition(" (")[0] in done.stdout


@pytest.mark.parametrize("name", ["devise", "packagist", "pypi"])
def test_show_says_what_is_declared_what_is_weaker_and_where_it_stands(profile: Profile, name: str) -> None:
    done = profile("show", name)
    assert done.returncode == 0
    told = " ".join(done.stdout.split())
    declared = load_profile(name)
    for said in (declared.title, declared.follows, *weaknesses(declared)):
        assert " ".join(said.split()) in told
    files = [line.strip() for line in done.stdout.splitlines() if line.startswith("  include/")]
    assert f"include/sql/user_databases/{name}/grants.sql" in files
    assert all((ROOT / file).is_file() for file in files)
    assert len([file for file in files if Path(file).name == "unverify_addresses.sql"]) == 1


def test_show_grants_prints_the_script_and_nothing_else(profile: Profile) -> None:
    done = profile("show", "devise", "--grants")
    assert done.stdout == load_profile("devise").grants()
    assert done.stderr == ""


def test_a_profile_that_is_not_there_is_said(profile: Profile) -> None:
    done = profile("show", "mine")
    assert done.returncode == 1
    assert done.stderr.startswith("lapsewatch: there is no user database profile 'mine' (")
    assert "; there are: crates_io, devise, " in done.stderr


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_new_writes_a_profile_that_can_be_read(profile: Profile, tmp_path: Path, dialect: str) -> None:
    done = profile("new", "larder", "--folder", str(tmp_path / "profiles"), "--dialect", dialect)
    assert done.returncode == 0
    folder = tmp_path / "profiles" / "larder"
    assert sorted(it.name for it in folder.iterdir()) == ["grants.sql", "profile.toml"]
    begun = read_declaration("larder", (folder / "profile.toml").read_text())
    assert (begun.title, begun.dialect, begun.on_lapse) == ("larder", dialect, "report")
    assert "NAME" not in (folder / "profile.toml").read_text() + (folder / "grants.sql").read_text()


def test_a_new_profile_of_postgresql_suits_the_table_that_it_begins_with(
    profile: Profile, tmp_path: Path, empty_database_url: str, postgres_server: postgres.Server
) -> None:
    profile("new", "larder", "--folder", str(tmp_path))
    parts = [it.read_text() for it in load_profile("generic").files() if it.name.startswith("grants")]
    roles, before, _, after = parts
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "create table users (id bigint primary key, email text, email_verified boolean not null,"
            " is_active boolean not null)"
        )
        connection.execute("insert into users values (1, 'a@lapsed.com', true, true), (2, 'b@lapsed.com', true, false)")
    begun = "\n".join([roles, before, (tmp_path / "larder" / "grants.sql").read_text(), after])
    privileges.grant(empty_database_url, postgres_server.cluster.password, begun)
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select host from lapsewatch.verified_email").fetchall() == [("lapsed.com",)]


@pytest.mark.parametrize("name", ["Larder", "../larder", "lar der", "1larder", "-", ""])
def test_a_name_that_is_none_is_refused(profile: Profile, tmp_path: Path, name: str) -> None:
    done = profile("new", "--folder", str(tmp_path), "--", name)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_nothing_is_overwritten(profile: Profile, tmp_path: Path) -> None:
    folder = tmp_path / "larder"
    folder.mkdir()
    (folder / "profile.toml").write_text("mine")
    done = profile("new", "larder", "--folder", str(tmp_path))
    assert done.returncode == 2
    assert "already" in done.stderr
    assert [it.read_text() for it in folder.iterdir()] == ["mine"]
    assert profile("new", "generic").returncode == 2


@pytest.fixture
def generic_url(empty_database_url: str, postgres_server: postgres.Server) -> str:
    """The owner's URL of a database of the profile `generic` with the views on it."""
    with psycopg.connect(empty_database_url) as connection:
        connection.execute((ROOT / "tests/contracts/profiles/schemas/generic.sql").read_bytes())
        connection.execute(
            "insert into accounts (name, email, email_verified) values ('a', 'secretive@lapsed.com', true)"
        )
    privileges.grant(empty_database_url, postgres_server.cluster.password, load_profile("generic").grants())
    return empty_database_url


def test_verify_ends_well_where_all_is_well(profile: Profile, generic_url: str) -> None:
    for done in (
        profile("verify", "--profile", "generic", "--conn", generic_url),
        profile("verify", "--profile", "generic", "--conn", "-", given=f"{generic_url}\n"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.endswith("1 row for 1 address.\n0 problems, 0 notes.\n")
        assert "secretive" not in done.stdout + done.stderr


def test_verify_ends_in_1_where_there_is_a_problem(profile: Profile, generic_url: str) -> None:
    with psycopg.connect(generic_url) as connection:
        connection.execute("drop index package_maintainers_account; grant select on accounts to public")
    done = profile("verify", "--profile", "generic", "--conn", generic_url, "--timeout", "5")
    assert done.returncode == 1
    assert "Statements end after 5 seconds" in done.stdout
    assert "problem  no index begins with public.package_maintainers(account_id). What to do: create" in done.stdout
    assert "3 problems, 0 notes." in done.stdout


def test_verify_prints_names_without_what_a_terminal_obeys(profile: Profile, empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute('create domain "\x1b[2Jbig\u202e" as text; create table accounts (email "\x1b[2Jbig\u202e")')
    done = profile("verify", "--profile", "generic", "--conn", empty_database_url)
    assert done.returncode == 1
    assert 'public.accounts.email is public."[2Jbig", and not text' in " ".join(done.stdout.split())
    assert all(letter.isprintable() or letter == "\n" for letter in done.stdout)
    assert "--grants > grants.sql, and psql --single-transaction" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("postgresql://a:sEcret@127.0.0.1:1/x", 1, "can't be reached"),
        ("postgresql://a:sEcret@127.0.0.1:port/x", 2, "is no URL"),
        ("a:sEcret", 2, "is no URL"),
        ("", 2, "is no URL"),
        ("mysql://a:sEcret@127.0.0.1/x", 2, "no URL of PostgreSQL"),
        ("sqlite:///sEcret", 2, "no URL of PostgreSQL"),
        ("postgresql://127.0.0.1/x?password=sEcret&user=a", 2, "an option that is not known"),
        ("postgresql://a:sEcret@127.0.0.1:1/x?sslmode=sEcret", 1, "can't be reached"),
        ("postgresql://a:sE@cret@127.0.0.1:1/x", 1, "can't be reached"),
        ("postgresql://a:sEcret@host..example/x", 1, "can't be reached"),
        ("mariadb://a:sEcret@host..example/x", 1, "can't be reached"),
        ("mariadb://a:sEcret@127.0.0.1/x?sslmode=require", 2, "an option that is not known"),
    ],
)
def test_no_password_is_ever_shown(profile: Profile, url: str, code: int, says: str) -> None:
    name = "packagist" if url.startswith("mariadb") else "generic"
    done = profile("verify", "--profile", name, "--conn", url)
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "cret" not in done.stdout + done.stderr


def test_a_wrong_password_is_not_shown_either(
    profile: Profile, generic_url: str, postgres_server: postgres.Server
) -> None:
    url = generic_url.replace(postgres_server.cluster.password, "guessed-and-wrong")
    done = profile("verify", "--profile", "generic", "--conn", url)
    assert done.returncode == 1
    assert "does not let this login in" in done.stderr
    assert "guessed" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["list", "show", "verify", "new"])
def test_every_command_has_help_with_an_example(profile: Profile, name: str) -> None:
    done = profile(name, "--help")
    assert done.returncode == 0
    assert f"lapsewatch profile {name}" in done.stdout.partition("example")[2]
