"""`python -m local`: what the Makefile's targets from `demo` to `pictures` do, and `clean`."""

import argparse
import signal
import sys
from collections.abc import Sequence

from local import airflow, backfill, demo, dictionary, installation, parts, postgres, ui
from local.checkout import local_folder

ACCOUNTS = 20_000


def main() -> int:
    """Run one command; return its exit status."""
    parser = _parser()
    chosen, more = parser.parse_known_args()
    if more and chosen.command != "backfill":
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    for stop_signal in (signal.SIGTERM, signal.SIGHUP):
        # As an exception, so that what was started is stopped on the way out.
        signal.signal(stop_signal, lambda number, _frame: sys.exit(128 + number))
    try:
        return _run(chosen, more)
    except (demo.DemoFailed, parts.PartFailed, installation.MigrationFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Lapsewatch on one machine, without Docker.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in {
        "demo": "seed a simulated world, run the DAG once, and print what it did",
        "ui": "serve Airflow's UI over the same databases, until Ctrl-C",
    }.items():
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--accounts", type=int, default=ACCOUNTS, help=f"size of the user base ({ACCOUNTS:,})")
    commands.add_parser(
        "backfill", help="lapsewatch backfill in the demo's world; without arguments, go on and follow", add_help=False
    )
    commands.add_parser("psql", help="SQL on the status database, from the terminal or standard input")
    command = commands.add_parser("lapsewatch", help="the command lapsewatch in the demo's world", add_help=False)
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    commands.add_parser("dictionary", help="write docs/data-dictionary.md anew, from the migrations")
    commands.add_parser("pictures", help="take the README's pictures, in Debian's Chromium")
    commands.add_parser("clean", help="stop PostgreSQL and remove its data")
    return parser


def _run(chosen: argparse.Namespace, more: Sequence[str]) -> int:
    match chosen.command:
        case "demo":
            demo.run(chosen.accounts)
        case "ui":
            ui.serve(chosen.accounts)
        case "backfill":
            return backfill.run(ACCOUNTS, more or ["--follow"])
        case "psql":
            with postgres.running(installation.cluster()) as server:
                server.create_if_missing(airflow.STATUS_DATABASE)
                return postgres.psql(server, airflow.STATUS_DATABASE)
        case "lapsewatch":
            with installation.running(ACCOUNTS) as installed:
                return installed.lapsewatch(chosen.arguments)
        case "dictionary":
            dictionary.write()
        case "pictures":
            # A browser's driver: only this needs it.
            from local import pictures

            pictures.take()
        case "clean":
            for name in ("postgres", "bench", "pictures"):
                postgres.destroy(local_folder(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
