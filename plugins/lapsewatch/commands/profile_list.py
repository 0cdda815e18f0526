"""`lapsewatch profile list`: which systems there are profiles for, and what each can tell."""

import argparse

from rich.console import Console
from rich.table import Table

from lapsewatch.commands.exit_codes import OK
from lapsewatch.commands.profile_table import HEADINGS, rows

PLAIN_WIDTH = 200
"""Columns of a table that goes to no terminal."""


def run(_: argparse.Namespace) -> int:
    """Print a row a profile."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    table = Table(*(heading.capitalize() for heading in HEADINGS))
    table.columns[0].no_wrap = True
    for row in rows():
        table.add_row(*row)
    console.print(table)
    return OK
