"""The arguments of `lapsewatch`, and how every command ends: with an exit code, and one clear line where it fails."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from importlib import import_module

from lapsewatch.commands import exit_codes
from lapsewatch.core.errors import LapsewatchError
from lapsewatch.core.policy import Policy

DEFAULT_MAX_RDAP_CALLS = 500


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return its exit code.

    0: done. 1: trouble, told in a line on standard error. 2: input that can't be used. 130: interrupted.
    """
    chosen = _parser().parse_args(arguments)
    try:
        code = int(import_module(chosen.module).run(chosen))
        sys.stdout.flush()
    except exit_codes.BadInput as error:
        code = _failed(error, exit_codes.BAD_INPUT)
    except LapsewatchError as error:
        code = _failed(error, exit_codes.TROUBLE)
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        code = exit_codes.INTERRUPTED
    if code == exit_codes.INTERRUPTED:
        _end_now()
    return code


def _failed(error: LapsewatchError, code: int) -> int:
    sys.stderr.write(f"lapsewatch: {error}\n")
    return code


def _reader_left() -> int:
    """End quietly where whoever read our output has gone, as `head` does; Python would complain while it closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.TROUBLE


def _end_now() -> None:
    """End without waiting for questions that are still in flight; at its end Python would join their threads."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    os._exit(exit_codes.INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lapsewatch",
        description="Asks and tells about the domains behind e-mail addresses. The daily run is an Airflow DAG; this"
        " is for people, and for pipes.",
        epilog="example: lapsewatch check example.com",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_check(commands)
    _add_scan(commands)
    _add_explain(commands)
    _add_decide(commands)
    _add_undo(commands)
    _add_exempt(commands)
    _add_backfill(commands)
    _add_export(commands)
    _add_profile(commands)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _add(
    commands: "Commands[argparse.ArgumentParser]", name: str, does: str, *more: str, within: str = ""
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=does,
        description="\n\n".join([does, *more]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(module=f"lapsewatch.commands.{within}{name}")
    return command


def _add_check(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "check",
        "Ask about domains now: evidence, phase and verdict.",
        "Asks the status API (where there is a key), the registries over RDAP, and DNS. An address or a host stands\n"
        "for the registrable domain behind it; of an address only the host is used.",
    )
    command.epilog = "examples:\n  lapsewatch check example.com\n  lapsewatch check --json example.com example.org"
    command.add_argument("names", metavar="DOMAIN", nargs="+", help="a domain, a host or an e-mail address")
    command.add_argument("--json", action="store_true", help="one JSON object a line, with the evidence")
    _add_policy(command)
    _add_client(command)


def _add_scan(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "scan",
        "Check the domains behind a list of addresses or domains.",
        "The list is text, one a line, or CSV (with a header, separated by comma, semicolon or tab). Each domain is\n"
        "asked about once; well-known providers are not asked about. Addresses stay in the file: nothing of them but\n"
        "the host is kept, shown or written. Ctrl-C ends it with what is known so far.",
    )
    command.epilog = (
        "examples:\n  lapsewatch scan addresses.txt\n"
        "  lapsewatch scan users.csv --column login_email --csv result.csv\n"
        "  psql --tuples-only --command 'select email from users' | lapsewatch scan - --json result.jsonl"
    )
    command.add_argument("file", metavar="FILE", help="the list; - is standard input")
    command.add_argument(
        "--column", metavar="NAME", help="the CSV's column (default: email, mail, address, domain or host)"
    )
    command.add_argument("--csv", metavar="FILE", help="write a row a domain; - is standard output")
    command.add_argument("--json", metavar="FILE", help="write a JSON object a domain and line; - is standard output")
    command.add_argument(
        "--max-rdap-calls",
        metavar="N",
        type=_count,
        default=DEFAULT_MAX_RDAP_CALLS,
        help="how many questions to registries it may take, doubtful domains first (default: %(default)s); each"
        " registry is asked about one domain a second",
    )
    _add_policy(command)
    _add_client(command)


def _add_explain(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "explain",
        "Tell a domain's story from the status database, in words that can be pasted.",
        "What is known now, every check, every lapse, and what was unverified why. The database is the Airflow\n"
        "connection status_db (AIRFLOW_CONN_STATUS_DB).",
    )
    command.epilog = "examples:\n  lapsewatch explain example.com\n  lapsewatch explain --json mail.example.com"
    command.add_argument("name", metavar="DOMAIN", help="a domain, a host or an e-mail address")
    command.add_argument("--json", action="store_true", help="the same as one JSON object")


def _add_decide(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "decide",
        "Decide on evidence: reads cases as JSON lines, writes one verdict a line.",
        "Asks nobody. docs/command-line.md describes the keys of a case; all but the domain may be missing. A line\n"
        "that is no case is told on standard error with its number, and the exit status is then 2.",
    )
    command.epilog = 'example:\n  echo \'{"domain": "example.com", "flags": ["inactive"]}\' | lapsewatch decide'
    _add_policy(command)


def _add_undo(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "undo",
        "Verify again what was unverified by mistake; without --apply it only says what it would do.",
        "Only what Lapsewatch took away, and only where nobody has changed the address since. The lapses of a run or\n"
        "domain are pardoned: nobody is unverified for them any more. An address is not taken again for its own lapse.",
    )
    command.epilog = (
        "examples:\n  lapsewatch undo --run scheduled__2026-11-22T00:00:00+00:00 --why 'outage of a registry'\n"
        "  lapsewatch undo --domain example.com --why 'ticket 4711: renewed in time' --apply"
    )
    command.add_argument("--run", metavar="RUN", help="all that this run of the DAG took away, by its id")
    command.add_argument(
        "--domain", metavar="DOMAIN", help="all that was taken away under a registrable domain; with --run, by that run"
    )
    command.add_argument("--address", metavar="KEY", help="one address, by its key in the user database")
    command.add_argument("--why", metavar="TEXT", required=True, help="the reason; it is kept, so no address in it")
    _add_author(command)
    command.add_argument("--apply", action="store_true", help="do it")


def _add_exempt(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "exempt",
        "Say that a domain or an address is never to be unverified, whatever the evidence.",
        "It holds from now on, for runs at work too. What has been taken away already, `lapsewatch undo` gives back.",
    )
    command.epilog = (
        "examples:\n  lapsewatch exempt --domain example.com --why 'ours' --until 2027-01-31\n"
        "  lapsewatch exempt --list\n  lapsewatch exempt --end 3 --why 'sold'"
    )
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--domain", metavar="DOMAIN", help="all addresses under a registrable domain")
    what.add_argument("--address", metavar="KEY", help="one address, by its key in the user database")
    what.add_argument("--list", action="store_true", help="list what is exempt")
    what.add_argument("--end", metavar="NUMBER", type=_count, help="end the exemption of that number")
    command.add_argument("--why", metavar="TEXT", help="the reason; it is kept, so no address in it")
    command.add_argument("--until", metavar="YYYY-MM-DD", type=_day, help="the last day, in UTC (default: for good)")
    _add_author(command)


def _add_backfill(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "backfill",
        "Assess the domains of some days' cohorts with Airflow's own backfill, and follow it; 30 days are all domains.",
        "Calls `airflow backfill create`, then tells how far its runs have come, until all have ended. Ctrl-C ends\n"
        "the following only. docs/backfill.md is the manual.",
    )
    command.epilog = (
        "examples:\n  lapsewatch backfill --from 2026-10-01 --to 2026-10-30 --max-active-runs 2\n"
        "  lapsewatch backfill --from 2026-10-01 --to 2026-10-30 --reprocess completed --conf '{\"dry_run\": false}'\n"
        "  lapsewatch backfill --follow"
    )
    command.add_argument("--from", dest="first", metavar="YYYY-MM-DD", type=_day, help="the first day")
    command.add_argument("--to", dest="last", metavar="YYYY-MM-DD", type=_day, help="the last day")
    command.add_argument(
        "--max-active-runs", metavar="N", type=_number, default=2, help="runs at a time (default: %(default)s)"
    )
    command.add_argument("--conf", metavar="JSON", help="Params for its runs, as a JSON object")
    command.add_argument(
        "--reprocess",
        choices=["none", "failed", "completed"],
        default="none",
        help="which days that have had their run get it once more (default: %(default)s)",
    )
    command.add_argument(
        "--follow", action="store_true", help="create nothing: follow a backfill's runs, those that have not ended"
    )


def _add_export(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _add(
        commands,
        "export",
        "Write the status database into a folder of Parquet files, for a data lake.",
        "All tables and views that analysts need, as they stand at one moment, without keys of accounts and\n"
        "addresses. The folder changes when all is written: a rerun replaces it, one that fails leaves it as it was.",
    )
    command.epilog = "example:\n  lapsewatch export /data/lapsewatch"
    command.add_argument("folder", metavar="FOLDER", help="made where it is missing; it holds nothing but an export")


def _add_profile(commands: "Commands[argparse.ArgumentParser]") -> None:
    group = commands.add_parser(
        "profile",
        help="List, show, try and write profiles: what Lapsewatch knows of a system's users.",
        description="What Lapsewatch knows of a system's users, and of what taking a verification away does there.",
        epilog="example: lapsewatch profile list",
    )
    profiles = group.add_subparsers(metavar="COMMAND", required=True)

    command = _add(profiles, "list", "List the systems that there are profiles for.", within="profile_")
    command.epilog = "example:\n  lapsewatch profile list"

    command = _add(
        profiles,
        "show",
        "Tell what a profile declares, what is weaker with it, and which files it is made of.",
        within="profile_",
    )
    command.epilog = (
        "examples:\n  lapsewatch profile show devise\n  lapsewatch profile show devise --grants > grants.sql"
    )
    command.add_argument("name", metavar="NAME", help="the profile")
    command.add_argument(
        "--grants", action="store_true", help="print the script that the owner of the users runs, and nothing else"
    )

    command = _add(
        profiles,
        "verify",
        "Look whether a real database is what the profile takes it for; nothing is changed.",
        "Tables, columns, types and indexes; whether its owner has run the script, and this version of it; what the\n"
        "two roles may do, who has been given them, and who else something of Lapsewatch's; how each statement is\n"
        "carried out, and how long counting hosts takes. Read-only, and no address is read. Ends with 1 where there\n"
        "is a problem. The owner of the tables sees most.",
        within="profile_",
    )
    command.epilog = (
        "examples:\n  lapsewatch profile verify --profile devise --conn postgresql://owner@users.example/service\n"
        "  lapsewatch profile verify --profile devise --conn - < url.txt"
    )
    command.add_argument("--profile", metavar="NAME", required=True, help="the profile")
    command.add_argument(
        "--conn",
        metavar="URL",
        required=True,
        help="the database, as scheme://login:password@host:port/database; - reads it from standard input, where no"
        " list of processes shows the password",
    )
    command.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_number,
        default=60,
        help="when the database ends a statement (default: %(default)s)",
    )

    command = _add(
        profiles,
        "new",
        "Write a profile to begin with, with comments. What is there already is never overwritten.",
        within="profile_",
    )
    command.epilog = "example:\n  lapsewatch profile new larder"
    command.add_argument("name", metavar="NAME", help="lower-case letters, digits and _")
    command.add_argument(
        "--folder", metavar="FOLDER", help="where its folder is made (default: with the other profiles)"
    )
    command.add_argument(
        "--dialect", choices=["postgresql", "mariadb"], default="postgresql", help="(default: %(default)s)"
    )


def _add_author(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", metavar="NAME", help="who decides (default: your login name)")


def _add_policy(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--policy",
        choices=[policy.value for policy in Policy],
        default=Policy.CORROBORATED.value,
        help="which rules decide (default: %(default)s); see docs/policies.md",
    )


def _add_client(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--client",
        choices=["fastly", "domainr"],
        default="fastly",
        help="which status API to ask: the Airflow connection fastly_api or domainr_api (default: %(default)s)",
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("it is not negative")
    return number


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it is at least 1")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: YYYY-MM-DD, as in 2026-10-31") from None
