"""`python -m simulator`: serves the simulated internet, or seeds its user database."""

import argparse
import os
from datetime import UTC, datetime, time

from simulator.app import create_app
from simulator.clock import Clock
from simulator.resolver.server import serving_dns
from simulator.server import serve
from simulator.user_database import seed
from simulator.world import World

KEY_VARIABLE = "SIMULATOR_API_KEY"
DATABASE_VARIABLE = "SIMULATOR_USER_DB_URL"


def main(arguments: list[str] | None = None) -> None:
    """Runs one command; ends the process with a message when it cannot."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    needed = KEY_VARIABLE if chosen.command == "serve" else DATABASE_VARIABLE
    secret = os.environ.get(needed)
    if not secret:
        parser.error(f"the environment variable {needed} is not set: see `python -m simulator {chosen.command} --help`")
    world = World(chosen.seed, chosen.accounts, chosen.epoch)
    if chosen.command == "serve":
        app = create_app(
            world,
            Clock(chosen.epoch),
            api_key=secret,
            latency_ms=chosen.latency_ms,
            requests_per_second=chosen.requests_per_second,
        )
        with serving_dns(app.state.dns, chosen.host, chosen.dns_port):
            serve(app, chosen.host, chosen.port)
    else:
        print(seed(secret, world))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="A small internet with a clock, for Lapsewatch to watch."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        help="serve the status APIs, RDAP, DNS and the control API",
        description=(
            "Serves Fastly's and Domainr's status APIs, RDAP with its bootstrap file /rdap/dns.json, and the control "
            "API under /_simulator/, all over HTTP on one port; and on another one DNS, over UDP and TCP. "
            f"The API key it takes is read from the environment variable {KEY_VARIABLE}. "
            "Its clock stands at the epoch until it is moved."
        ),
    )
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serving.add_argument("--port", type=int, default=8053, help="port for HTTP")
    serving.add_argument("--dns-port", type=int, default=8054, help="port for DNS, over UDP and TCP")
    serving.add_argument(
        "--latency-ms", type=float, default=0, help="time before each answer over HTTP, in milliseconds"
    )
    serving.add_argument(
        "--requests-per-second",
        type=float,
        help="quota of the status APIs, above which they answer 429 (None: no quota)",
    )
    seeding = commands.add_parser(
        "seed",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        help="create and fill the user database",
        description=(
            "Drops the users' tables in PyPI's schema, creates them anew and fills them. "
            f"The database's libpq URL is read from the environment variable {DATABASE_VARIABLE}. "
            "Give the seed, accounts and epoch that `serve` was given."
        ),
    )
    for command in (serving, seeding):
        command.add_argument("--seed", default="lapsewatch", help="what decides the world")
        command.add_argument("--accounts", type=int, default=20_000, help="accounts in the user database")
        command.add_argument(
            "--epoch",
            type=_instant,
            default=datetime.combine(datetime.now(UTC), time(), UTC),
            help="instant the world begins at, as ISO 8601 date or time; UTC unless it says otherwise",
        )
    return parser


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
