"""What it means when the database refuses a question, or takes too long over it."""

from lapsewatch.user_databases.database import STATEMENT_TIMEOUT
from lapsewatch.user_databases.dialect import Failure
from lapsewatch.user_databases.verification.finding import Finding, note, problem
from lapsewatch.user_databases.verification.inquiry import Inquiry
from lapsewatch.user_databases.verification.privileges import READER
from lapsewatch.user_databases.verification.schema import run_the_script

NO_RIGHT = {"42501", "1044", "1142", "1143", "1227", "1345", "1370"}
"""SQLSTATE insufficient_privilege; MariaDB's numbers for the same, and for a plan that may not be seen."""
NOT_THERE = {"42P01", "42703", "42883", "3F000", "1049", "1054", "1146", "1305", "1356", "1449"}
"""A table, column, function, schema, database or definer that is missing, as PostgreSQL and MariaDB number it."""


def unanswered(inquiry: Inquiry, what: str, failure: Failure) -> Finding:
    """Return what is found where a question about something had no answer."""
    if failure.is_timeout:
        return problem(
            f"{what}: it took longer than {inquiry.timeout:g} seconds, and was ended",
            f"--timeout allows more; a run allows {STATEMENT_TIMEOUT:,.0f} seconds, or what 'statement_timeout' in"
            " the extra of its connection says",
        )
    if failure.code in NO_RIGHT and what == "select_hosts":
        return problem(
            "select_hosts: this login has no right to",
            f"ask as a member of {READER}, or as the owner of the tables; if this is one, the owner of the views"
            " has lost its right to the tables",
        )
    if failure.code in NO_RIGHT:
        return note(f"{what}: not seen, this login has no right to", "ask again as the owner of the tables")
    if failure.code in NOT_THERE:
        return problem(f"{what}: something that it needs is not there", run_the_script(inquiry.profile))
    return problem(f"{what}: the database refused it ({failure.code})", "its own log has the details")
