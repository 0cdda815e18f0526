"""How the database means to carry out each statement, and how long the one that reads everything takes."""

from collections.abc import Iterator, Mapping
from time import perf_counter

from lapsewatch.core.wording import counted
from lapsewatch.user_databases.verification.finding import Finding, good, note
from lapsewatch.user_databases.verification.inquiry import Inquiry, NoAnswer
from lapsewatch.user_databases.verification.plans import can_be_explained, explaining, whole_reads
from lapsewatch.user_databases.verification.unanswered import unanswered

MANY_ROWS = 10_000
"""Reading so many rows from start to end is worth a word, and too much for looking up a few keys."""

STATEMENTS: Mapping[str, str] = {
    "select_hosts": "",
    "select_addresses": "hosts",
    "select_accounts": "skipped_hosts",
    "select_recipients": "address_keys",
    "select_unverified_addresses": "addresses",
    "select_standings": "addresses",
    "unverify_addresses": "addresses",
    "reverify_addresses": "addresses",
}
"""The statements, and what each takes."""
BY_KEY = frozenset(STATEMENTS) - {"select_hosts", "select_addresses", "select_accounts"}


def plans(inquiry: Inquiry) -> Iterator[Finding]:
    """Find which tables each statement would read from start to end."""
    for name, takes in STATEMENTS.items():
        statement = inquiry.profile.statement(name)
        if not can_be_explained(statement):
            continue
        question = explaining(statement, inquiry.profile.dialect)
        try:
            plan = list(inquiry.ask(question, **({takes: "[]"} if takes else {})))
        except NoAnswer as no_answer:
            yield unanswered(inquiry, f"the plan of {name}", no_answer.failure)
            continue
        reads = [it for it in whole_reads(plan, inquiry.profile.dialect) if it.row_count >= MANY_ROWS]
        told = " and ".join(f"{it.table} from start to end" for it in reads)
        if reads and name in BY_KEY:
            yield note(
                f"{name} looks up keys, and would read {told}",
                "see whether the indexes are there, and 'analyze' the tables",
            )
        else:
            yield good(f"{name} reads {told or 'no large table from start to end'}")


def hosts(inquiry: Inquiry) -> Iterator[Finding]:
    """Carry out the one statement that reads everything, and find how long it takes."""
    began = perf_counter()
    host_count = address_count = 0
    for _, _, _, count in inquiry.ask(inquiry.profile.statement("select_hosts")):
        host_count += 1
        address_count += count
    seconds = perf_counter() - began
    if not address_count:
        yield note("there is no verified address", "see whether it is the right database")
    else:
        counts = f"{counted(host_count, 'row')} for {counted(address_count, 'address', 'addresses')}"
        yield good(f"select_hosts took {seconds:.1f} seconds: {counts}")
