"""docs/adding-a-profile.md, done exactly: files are written, commands run, and what it shows is what they print."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import psycopg
import pytest
from lapsewatch.user_databases.profile import Profile

from local import postgres
from local.checkout import ROOT

DOCUMENT = ROOT / "docs" / "adding-a-profile.md"
COPIED = ("dags", "include", "local", "plugins", "pyproject.toml", "simulator", "tests")
BLOCK = re.compile(r"(?:^`([\w/.]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VARYING = re.compile(r"\d+\.\d seconds|^good     who can log in .*\n(?:         .*\n)*", re.MULTILINE)
"""How long it took, and the logins that other tests have made on this server."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of what a profile's author needs, with the commands that `make install` puts there."""
    root = tmp_path / "checkout"
    for name in COPIED:
        given, copied = ROOT / name, root / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        if given.is_dir():
            shutil.copytree(given, copied, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(given, copied)
    commands = root / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name in ("lapsewatch", "pytest"):
        command = commands / name
        command.write_text(f'#!/bin/sh\nPYTHONPATH="{root}/plugins:{root}" exec {sys.executable} -m {name} "$@"\n')
        command.chmod(0o755)
    return root


def run(command: str, checkout: Path, user_database: str, binaries: str) -> str:
    """Run what a person would type in the checkout; what it prints."""
    environment = {
        "HOME": str(checkout.parent),
        "PATH": f"{binaries}/bin{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "USER_DATABASE": user_database,
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=checkout, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_what_it_says_can_be_done(checkout: Path, postgres_server: postgres.Server, empty_database_url: str) -> None:
    blocks = BLOCK.findall(DOCUMENT.read_text())
    assert [kind for _, kind, _ in blocks] == ["sql", "sh", "toml", "sql", "python", "sh", "console", "sh", "console"]
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(blocks[0][2].encode())
        connection.execute(
            "insert into cooks (email, confirmed_at) values ('a@lapsed.com', now()), ('b@Lapsed.com', now())"
        )
    ran = []
    for path, kind, content in blocks:
        if path:
            (checkout / path).write_text(content)
        elif kind == "sh":
            ran.append(run(content, checkout, empty_database_url, postgres_server.cluster.binaries))
        else:
            command, _, shown = content.removeprefix("$ ").partition("\n")
            printed = run(command, checkout, empty_database_url, postgres_server.cluster.binaries)
            assert VARYING.sub("", printed) == VARYING.sub("", shown)
            assert "password" not in printed
    written, tested, _ = ran
    assert "include/sql/user_databases/larder/grants.sql" in written
    assert int(re.findall(r"(\d+) passed", tested)[0]) > 40
    assert "failed" not in tested
    assert "skipped" not in tested


def test_every_field_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", DOCUMENT.read_text(), re.MULTILINE))))
    assert explained == {it.name for it in fields(Profile)} - {"name"}
