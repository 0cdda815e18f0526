"""`lapsewatch exempt`: says that a domain or an address is never to be unverified, whatever the evidence."""

import argparse
import sys
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from lapsewatch.commands.authorship import read_author, read_why
from lapsewatch.commands.exit_codes import OK, TROUBLE, BadInput
from lapsewatch.commands.names import read_address_key, read_domain
from lapsewatch.commands.sources import open_status_database
from lapsewatch.commands.wording import exemption_said
from lapsewatch.status_database.statements import statement


def run(arguments: argparse.Namespace) -> int:
    """Add an exemption, end one, or list those in force; 1 where there is none to end."""
    is_new = not arguments.list and arguments.end is None
    values = _new(arguments) if is_new else _not_new(arguments)
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
    if arguments.end is not None and not rows:
        sys.stderr.write("lapsewatch: no exemption of that number is in force\n")
        return TROUBLE
    out.writelines(f"{exemption_said(row)}\n" for row in rows)
    if not rows:
        out.write("Nothing is exempt.\n")
    return OK


def _new(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.why is None:
        raise BadInput("an exemption needs a reason: say --why")
    return {
        "domain": None if arguments.domain is None else read_domain(arguments.domain),
        "address_key": None if arguments.address is None else read_address_key(arguments.address),
        "why": read_why(arguments.why),
        "by": read_author(arguments.by),
        "expires_at": None if arguments.until is None else _end_of(arguments.until),
    }


def _not_new(arguments: argparse.Namespace) -> dict[str, Any]:
    if (arguments.why, arguments.by, arguments.until) != (None, None, None):
        raise BadInput("--why, --by and --until are for a new exemption")
    return {"exemption_id": arguments.end}


def _end_of(day: date) -> datetime:
    end = datetime.combine(day, time(), UTC) + timedelta(days=1)
    if end <= datetime.now(UTC):
        raise BadInput("--until is a day that is over")
    return end
