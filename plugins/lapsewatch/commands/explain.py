"""`lapsewatch explain`: a domain's story from the status database, for support staff and for their mails."""

import argparse
import json
import sys
from contextlib import redirect_stdout

from lapsewatch.commands.exit_codes import OK, TROUBLE, BadInput
from lapsewatch.commands.sources import open_status_database
from lapsewatch.commands.story_in_words import told
from lapsewatch.core.domains import SetAside
from lapsewatch.core.names import IN_WORDS, read_name
from lapsewatch.stories.story import read_story


def run(arguments: argparse.Namespace) -> int:
    """Tell the story of the registrable domain behind the name; 1 where the database does not know it."""
    named = read_name(arguments.name)
    if isinstance(named, SetAside):
        raise BadInput(f"the argument names no registrable domain: {IN_WORDS[named]}")
    out = sys.stdout
    # Airflow talks on standard output, which belongs to the story.
    with (
        redirect_stdout(sys.stderr),
        open_status_database() as status,
        status.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
    ):
        story = read_story(connection, named.domain)
    if story is None:
        more = " It is a well-known provider, and those are not asked about." if named.is_provider else ""
        sys.stderr.write(f"lapsewatch: {named.domain} is not in the status database: no run has met it.{more}\n")
        return TROUBLE
    out.write(json.dumps(story.as_json(), indent=2) + "\n" if arguments.json else told(story))
    return OK
