"""Looks at one thing after another. Everything is read, in read-only transactions; no address is."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Engine, text

from lapsewatch.user_databases.profile import Profile
from lapsewatch.user_databases.verification.finding import Finding
from lapsewatch.user_databases.verification.inquiry import Inquiry, NoAnswer
from lapsewatch.user_databases.verification.privileges import grantees, members, privileges, roles, strangers
from lapsewatch.user_databases.verification.schema import hidden_rows, indexes, script, tables
from lapsewatch.user_databases.verification.speed import hosts, plans
from lapsewatch.user_databases.verification.unanswered import unanswered
from lapsewatch.user_databases.verification.views import keys

Looks = Mapping[str, Callable[[Inquiry], Iterator[Finding]]]

AT_THE_SERVICE: Looks = {
    "tables": tables,
    "indexes": indexes,
    "row level security": hidden_rows,
    "the script": script,
}
AT_WHAT_THE_SCRIPT_MAKES: Looks = {
    "the roles": roles,
    "who has the roles": members,
    "what the roles may do": privileges,
    "what others may do": grantees,
    "whose the views are": strangers,
}
THROUGH_THE_VIEWS: Looks = {
    "the profile's views": keys,
    "plans": plans,
    "select_hosts": hosts,
}


def look_at(engine: Engine, profile: Profile, *, timeout: float) -> Iterator[Finding]:
    """Find out whether a database is what a profile takes it for, as the login of `engine` sees it.

    Statements end after `timeout` seconds each. Raises Unavailable where the database can't be reached at all.
    """
    inquiry = Inquiry(engine, profile, timeout=timeout)
    try:
        list(inquiry.ask(text("select 1")))
    except NoAnswer as no_answer:
        yield unanswered(inquiry, "a first statement", no_answer.failure)
        return
    yield from _each(inquiry, AT_THE_SERVICE)
    if _is_so(lambda: bool(inquiry.marks)):
        yield from _each(inquiry, AT_WHAT_THE_SCRIPT_MAKES)
        if _is_so(lambda: not inquiry.strangers):
            yield from _each(inquiry, THROUGH_THE_VIEWS)


def _each(inquiry: Inquiry, looks: Looks) -> Iterator[Finding]:
    for what, look in looks.items():
        try:
            yield from look(inquiry)
        except NoAnswer as no_answer:
            yield unanswered(inquiry, what, no_answer.failure)


def _is_so(condition: Callable[[], bool]) -> bool:
    """Whether it is known to be so; that it is not known has been found by a look before."""
    try:
        return condition()
    except NoAnswer:
        return False
