"""What a declaration may say, and what follows from it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lapsewatch.core.errors import SetupError
from lapsewatch.user_databases import profile
from lapsewatch.user_databases.profile import PROFILES_FOLDER, load_profile, profile_names, read_declaration
from lapsewatch.user_databases.weaknesses import weaknesses, why_report

GENERIC = (PROFILES_FOLDER / "generic" / "profile.toml").read_text()


def test_all_profiles_can_be_read() -> None:
    assert {"devise", "generic", "packagist", "pypi"} <= set(profile_names())
    for name in profile_names():
        assert load_profile(name).name == name


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("title =", "titel ="), "title: .*required.*titel: Unexpected"),
        (('dialect = "postgresql"', 'dialect = "oracle"'), "dialect: Input should be 'postgresql' or 'mariadb'"),
        (('on_lapse = "unverify"', 'on_lapse = "delete"'), "on_lapse: Input should be 'unverify' or 'report'"),
        (("tells_primary = true", 'tells_primary = "perhaps"'), "tells_primary: .*valid boolean"),
        (("tells_primary = true", "tells_primary = "), "is no TOML"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(change: tuple[str, str], says: str) -> None:
    assert change[0] in GENERIC
    with pytest.raises(SetupError, match=rf"profile.toml of the profile 'mine' (is not usable: )?.*{says}"):
        read_declaration("mine", GENERIC.replace(*change))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a profile `mine` with its declaration, and nothing else."""
    monkeypatch.setattr(profile, "PROFILES_FOLDER", tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "profile.toml").write_text(GENERIC)
    load_profile.cache_clear()
    yield folder
    load_profile.cache_clear()


def test_half_a_profile_says_what_is_missing(folder: Path) -> None:
    with pytest.raises(SetupError, match=r"'mine' has no grants\.sql"):
        load_profile("mine")
    (folder / "grants.sql").touch()
    assert load_profile("mine").name == "mine"


def test_a_declaration_in_another_encoding_says_so(folder: Path) -> None:
    (folder / "grants.sql").touch()
    (folder / "profile.toml").write_text(GENERIC.replace('title = "', "title = \"Garde-manger d'été, "), "latin-1")
    with pytest.raises(SetupError, match="no text in UTF-8"):
        load_profile("mine")


def test_a_statement_is_the_profiles_own_or_else_the_standard_one() -> None:
    own, standard = (load_profile(name).statement("unverify_addresses").text for name in ("pypi", "generic"))
    assert "update lapsewatch.address" in own
    assert "insert into lapsewatch.unverification" in standard
    assert load_profile("pypi").statement("select_hosts").text == load_profile("devise").statement("select_hosts").text


@pytest.mark.parametrize("name", profile_names())
def test_the_owner_reads_one_script(name: str) -> None:
    script = load_profile(name).grants()
    assert (PROFILES_FOLDER / name / "grants.sql").read_text() in script
    assert "lapsewatch_unverifier" in script


def test_the_best_profile_has_no_weakness() -> None:
    best = replace(load_profile("pypi"), tells_verification_time="exact", stops_reset="yes", locks_out="no", caveats=())
    assert weaknesses(best) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tells_verification_time": "no"}, "No time of verification"),
        ({"tells_verification_time": "lower bound"}, "lower bound"),
        ({"stops_reset": "no"}, "does not stop a password reset"),
        ({"stops_reset": "by address only"}, "by user name"),
        ({"stops_reset": "unknown"}, "depends on the service's own code"),
        ({"locks_out": "until verified again"}, "is locked until its owner verifies one again"),
        (
            {"purged_by": "a job that does"},
            "may get deleted, and can't be given back then. What does it: a job that does",
        ),
        ({"tells_other_addresses": False}, "one address only"),
        ({"tells_primary": False}, "the primary one is not known"),
        ({"tells_second_factor": False}, "Second factors are not known"),
        ({"tells_popularity": False}, "What is popular is not known"),
        ({"caveats": ("Its own.",)}, "Its own"),
    ],
)
def test_what_is_weaker_is_said(change: dict[str, object], says: str) -> None:
    best = replace(load_profile("pypi"), tells_verification_time="exact")
    (sentence,) = weaknesses(replace(best, **change))
    assert says in sentence


def test_why_a_profile_only_reports() -> None:
    assert why_report(load_profile("packagist")) == (
        "it does not stop a password reset there, and it locks the owner out"
    )
    purging = replace(load_profile("pypi"), purged_by="users.purge, 14 days")
    assert why_report(purging) == "what is unverified may get deleted"
    assert why_report(load_profile("crates_io")) == "there is no password reset there to stop"
    assert why_report(load_profile("pypi")) == "its profile or its owner says so"


def test_what_a_script_leaves_in_the_database_is_its_own() -> None:
    marks = {load_profile(name).mark().partition(", script ")[2] for name in profile_names()}
    assert len(marks) == len(profile_names())
