"""`lapsewatch profile show`: a profile's declaration in plain words, or the script that the owner of the users runs."""

import argparse
import sys
import textwrap
from collections.abc import Iterator

from lapsewatch.commands.exit_codes import OK
from lapsewatch.commands.profile_table import DIALECTS, SOURCES
from lapsewatch.user_databases.profile import PROFILES_FOLDER, Profile, load_profile
from lapsewatch.user_databases.weaknesses import weaknesses, why_report

WIDTH = 100
ROOT = PROFILES_FOLDER.parents[2]


def run(arguments: argparse.Namespace) -> int:
    """Print the profile, or with `--grants` its script and nothing else."""
    profile = load_profile(arguments.name)
    sys.stdout.write(profile.grants() if arguments.grants else "".join(f"{line}\n" for line in _told(profile)))
    return OK


def _told(profile: Profile) -> Iterator[str]:
    yield profile.title
    yield from _field("profile", f"{profile.name}, for {DIALECTS[profile.dialect]}")
    yield from _field("follows", profile.follows)
    yield from _field("tested on", SOURCES[profile.schema_source])
    if profile.on_lapse == "unverify":
        yield from _field("on a lapse", "addresses are unverified, where the run is no dry run")
    else:
        yield from _field(
            "on a lapse", f"only reported, unless the connection's extra says 'unverify': {why_report(profile)}"
        )
    yield from _field("stops reset", profile.stops_reset)
    yield from _field("locks out", profile.locks_out)
    yield from _field("knows when", profile.tells_verification_time)
    yield from _field("reads", "; ".join(f"{table} ({', '.join(it)})" for table, it in profile.tables.items()))
    if weaker := weaknesses(profile):
        yield ""
        yield "What is weaker than it could be"
        for sentence in weaker:
            yield from textwrap.wrap(sentence, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    yield ""
    yield "Files"
    yield from (f"  {file.relative_to(ROOT).as_posix()}" for file in profile.files())
    yield ""
    yield f"lapsewatch profile show {profile.name} --grants prints the script for the owner of the users."


def _field(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15)
