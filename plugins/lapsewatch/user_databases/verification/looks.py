"""Looks at one thing after another. Everything is read, in read-only transactions; no address is."""

from collections.abc import Iterator

from sqlalchemy import Engine, text

from lapsewatch.user_databases.profile import Profile
from lapsewatch.user_databases.verification.finding import Finding
from lapsewatch.user_databases.verification.inquiry import Inquiry, NoAnswer
from lapsewatch.user_databases.verification.privileges import grantees, members, privileges, roles
from lapsewatch.user_databases.verification.schema import hidden_rows, indexes, script, tables
from lapsewatch.user_databases.verification.speed import hosts, plans
from lapsewatch.user_databases.verification.unanswered import unanswered

LOOKS = {
    "tables": tables,
    "indexes": indexes,
    "row level security": hidden_rows,
    "the script": script,
    "the roles": roles,
    "who has the roles": members,
    "what the roles may do": privileges,
    "what others may do": grantees,
    "plans": plans,
    "select_hosts": hosts,
}


def look_at(engine: Engine, profile: Profile, *, timeout: float) -> Iterator[Finding]:
    """Find out whether a database is what a profile takes it for, as the login of `engine` sees it.

    Statements end after `timeout` seconds each. Raises Unavailable where the database can't be reached at all.
    """
    inquiry = Inquiry(engine, profile, timeout=timeout)
    list(inquiry.ask(text("select 1")))
    for what, look in LOOKS.items():
        try:
            yield from look(inquiry)
        except NoAnswer as no_answer:
            yield unanswered(inquiry, what, no_answer.failure)
