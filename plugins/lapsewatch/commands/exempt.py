"""`lapsewatch exempt`: says that a domain or an address is never to be unverified, whatever the evidence."""

import argparse
import sys
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from lapsewatch.commands.authorship import read_author, read_why
from lapsewatch.commands.exit_codes import OK, TROUBLE, BadInput
from lapsewatch.commands.names import read_address_key, read_domain
from lapsewatch.commands.sources import open_databases, open_status_database
from lapsewatch.core.errors import LapsewatchError
from lapsewatch.core.wording import exemption_said
from lapsewatch.status_database.statements import statement


def run(arguments: argparse.Namespace) -> int:
    """Add an exemption, end one, or list those in force; 1 where there is none to end.

    A new one of something that nobody knows holds, with a warning on standard error.
    """
    is_new = not arguments.list and arguments.end is None
    values = _new(arguments) if is_new else _ending(arguments) if arguments.end is not None else _listing(arguments)
    out = sys.stdout
    # Airflow talks on standard output, which belongs to the answer.
    with redirect_stdout(sys.stderr), open_status_database() as status, status.begin() as connection:
        if arguments.list:
            result = connection.execute(statement("select_exemptions"))
        elif is_new:
            result = connection.execute(statement("insert_exemption"), values)
        else:
            result = connection.execute(statement("end_exemption"), values)
        rows = [dict(row) for row in result.mappings()]
    if is_new and not rows[0]["is_met"]:
        with redirect_stdout(sys.stderr):
            _warn(**values)
    if arguments.end is not None and not rows:
        sys.stderr.write("lapsewatch: no exemption of that number is in force\n")
        return TROUBLE
    out.writelines(f"{_said(row, is_listed=arguments.list)}\n" for row in rows)
    if not rows:
        out.write("Nothing is exempt.\n")
    return OK


def _said(row: dict[str, Any], *, is_listed: bool) -> str:
    return f"{exemption_said(row)}{' (No run has met this domain.)' if is_listed and not row['is_met'] else ''}"


def _warn(domain: str | None, address_key: str | None, **_: object) -> None:
    """Tell on standard error that an exemption may be of nothing at all: it holds, but a slip is easily made."""
    if address_key is None:
        sys.stderr.write(f"lapsewatch: no run has met {domain} so far: is that the domain?\n")
        return
    try:
        with open_databases() as (_status, users):
            if any(account.address_key == address_key for account in users.accounts_of([address_key])):
                return
        trouble = "the user database shows no verified address of that key: is that the key?"
    except LapsewatchError as error:
        trouble = f"no run has met an address of that key so far, and nobody can tell whether there is one: {error}"
    sys.stderr.write(f"lapsewatch: {trouble}\n")


def _new(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "domain": None if arguments.domain is None else read_domain(arguments.domain),
        "address_key": None if arguments.address is None else read_address_key(arguments.address),
        "expires_at": None if arguments.until is None else _end_of(arguments.until),
    } | _authorship(arguments)


def _ending(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.until is not None:
        raise BadInput("--until is for a new exemption")
    return {"exemption_id": arguments.end} | _authorship(arguments)


def _listing(arguments: argparse.Namespace) -> dict[str, Any]:
    if (arguments.why, arguments.by, arguments.until) != (None, None, None):
        raise BadInput("--why, --by and --until are for an exemption that is given or ended")
    return {}


def _authorship(arguments: argparse.Namespace) -> dict[str, str]:
    if arguments.why is None:
        raise BadInput("who gives an exemption, or ends one, has a reason: say --why")
    return {"why": read_why(arguments.why), "by": read_author(arguments.by)}


def _end_of(day: date) -> datetime:
    end = datetime.combine(day, time(), UTC) + timedelta(days=1)
    if end <= datetime.now(UTC):
        raise BadInput("--until is a day that is over")
    return end
