"""The command `lapsewatch`: what people, and programs in a pipe, ask beside the daily run.

Nothing here is imported before it is needed: `decide` is to start at once, and only an installation that has Airflow
set up is to wait for it.
"""

from lapsewatch.commands.command_line import main

__all__ = ["main"]
