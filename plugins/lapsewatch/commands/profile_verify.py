"""`lapsewatch profile verify`: whether a real database is what a profile takes it for; changes nothing."""

import argparse
import sys
import textwrap

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from lapsewatch.commands.exit_codes import OK, TROUBLE, BadInput
from lapsewatch.commands.profile_table import DIALECTS
from lapsewatch.core.wording import counted
from lapsewatch.user_databases.dialect import dialect_named
from lapsewatch.user_databases.profile import Profile, load_profile
from lapsewatch.user_databases.verification.finding import Finding, Weight
from lapsewatch.user_databases.verification.looks import look_at

WIDTH = 100
SCHEMES = {"postgresql": "postgresql", "postgres": "postgresql", "mariadb": "mariadb", "mysql": "mariadb"}


def run(arguments: argparse.Namespace) -> int:
    """Print what is found, a paragraph each; 1 where something is a problem."""
    profile = load_profile(arguments.profile)
    given = sys.stdin.readline().strip() if arguments.conn == "-" else arguments.conn
    url = _url(given, profile)
    engine = create_engine(url, hide_parameters=True, connect_args=dict(dialect_named(profile.dialect).connect_args))
    limit = counted(arguments.timeout, "second")
    print(f"{profile.title}, profile {profile.name}. Statements end after {limit}; nothing is changed.")
    problem_count = note_count = 0
    try:
        for finding in look_at(engine, profile, timeout=arguments.timeout):
            problem_count += finding.weight is Weight.PROBLEM
            note_count += finding.weight is Weight.NOTE
            print(_told(finding), flush=True)
    finally:
        engine.dispose()
    print(f"{counted(problem_count, 'problem')}, {counted(note_count, 'note')}.")
    return TROUBLE if problem_count else OK


def _told(finding: Finding) -> str:
    text = f"{finding.text}. What to do: {finding.advice}." if finding.advice else f"{finding.text}."
    return textwrap.fill(
        # Names of roles and types are whatever somebody there gave them.
        "".join(letter for letter in " ".join(text.split()) if letter.isprintable()),
        WIDTH,
        initial_indent=f"{finding.weight.value:<9}",
        subsequent_indent=" " * 9,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _url(given: str, profile: Profile) -> URL:
    """Return the URL to connect with. Raises BadInput, whose message repeats nothing of it: it may hold a password."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise BadInput("--conn is no URL: scheme://login:password@host:port/database") from None
    dialect = SCHEMES.get(url.drivername.partition("+")[0])
    if dialect != profile.dialect:
        raise BadInput(f"--conn is no URL of {DIALECTS[profile.dialect]}, which the profile '{profile.name}' is for")
    named = dialect_named(dialect)
    if not set(url.query) <= named.url_options:
        raise BadInput(f"--conn has an option that is not known: known are {', '.join(sorted(named.url_options))}")
    return url.set(drivername=named.driver)
