"""The methods of PyPI and RubyGems, over the same users and the same API as ours, in the same run.

PyPI asks about one address row after the other, whatever its host and verified or not, 1,000 rows a day, each with a
timeout of five seconds (pypi/warehouse, accounts/tasks.py and accounts/services.py). RubyGems asks about one
registrable domain after the other. Both keep their connection open between calls. Here they have every advantage:
nothing is stored.
"""

import time
from datetime import UTC, datetime

import psycopg
import requests
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile

from benchmarks import apart, asking
from benchmarks.bench import Bench
from benchmarks.databases import engine_on
from benchmarks.internet import SEED, simulated, today
from benchmarks.measured import Measured, Value
from local import privileges
from simulator.user_database import seed
from simulator.world import World

ACCOUNTS = 20_000
LATENCY_MS = 150
TIMEOUT = 5
SAMPLE = 100
PER_SECOND, IN_FLIGHT = 5_000, 512
MANY = 100_000


def measure(bench: Bench) -> Measured:
    """Ask by each method, one after the other: by theirs about a sample, by ours about everybody."""
    server = bench.databases.server
    users_url, status_url = server.recreate("measured_world"), bench.databases.new_status_database()
    seeded = seed(users_url, World(SEED, ACCOUNTS, today()))
    privileges.grant(users_url, server.cluster.password)
    users = UserDatabase(engine_on(server.url("measured_world", privileges.READER)), load_profile("pypi"))
    extract_domains(Run("world", datetime.now(UTC)), users, engine_on(status_url))
    domains = asking.plan(status_url, 1)
    sample = 50 if bench.is_quick else SAMPLE
    with simulated(ACCOUNTS, LATENCY_MS) as internet:
        api = internet.url, internet.key
        pypi = apart.run(by_pypi, users_url, *api, sample).returned
        rubygems = apart.run(by_rubygems, status_url, *api, sample).returned
        apart.run(asking.ask, status_url, *api, 0, PER_SECOND, IN_FLIGHT)
    ours = asking.answered(status_url)

    protected = seeded.verified_addresses
    calls = {"PyPI": seeded.addresses, "RubyGems": domains, "ours": ours["calls"]}
    calls_per_second = {name: of["calls"] / of["seconds"] for name, of in {"PyPI": pypi, "RubyGems": rubygems}.items()}
    calls_per_second["ours"] = ours["calls"] / ours["seconds"]
    figures: dict[str, Value] = {}
    for name in calls:
        seconds = calls[name] / calls_per_second[name]
        figures |= {
            f"{name}: domains/s": round(domains / seconds, 1),
            f"{name}: calls for 1,000 verified addresses": round(1000 * calls[name] / protected),
            f"{name}: {MANY:,} addresses, extrapolated": _in_words(seconds * MANY / protected),
        }
    for name in ("PyPI", "RubyGems"):
        figures[f"times as fast as {name}"] = round(
            (calls[name] / calls_per_second[name]) / (calls["ours"] / calls_per_second["ours"]), 1
        )
    return Measured(
        title="the same work by the methods of PyPI and RubyGems",
        method=(
            f"a user base of {seeded.addresses:,} address rows, {protected:,} of them verified, on {domains:,} custom"
            f" domains; the API answers after {LATENCY_MS} ms. PyPI: a row after the other, verified or not, on one"
            f" connection, {sample} rows measured; RubyGems: a registrable domain after the other, {sample} measured;"
            f" ours: check_batch in one process, all {domains:,} domains. The rates are extrapolated to the whole base,"
            f" and from it to {MANY:,} verified addresses with as many domains for each; in a larger base more"
            " addresses share one. That PyPI stops at 1,000 rows a day is left out of account"
        ),
        goal="ratios reported",
        reached=None,
        figures=figures,
    )


def by_pypi(users_url: str, base_url: str, key: str, rows: int) -> dict[str, float]:
    """Ask as PyPI does about so many address rows; return calls and seconds."""
    with psycopg.connect(users_url) as connection:
        found = connection.execute("select email from public.user_emails order by id limit %s", [rows]).fetchall()
    return _one_after_the_other([email.rpartition("@")[2] for (email,) in found], base_url, key)


def by_rubygems(status_url: str, base_url: str, key: str, domains: int) -> dict[str, float]:
    """Ask as RubyGems does about so many registrable domains; return calls and seconds."""
    with psycopg.connect(status_url) as connection:
        found = connection.execute(
            "select domain from lapsewatch.domain_status order by 1 limit %s", [domains]
        ).fetchall()
    return _one_after_the_other([domain for (domain,) in found], base_url, key)


def _one_after_the_other(names: list[str], base_url: str, key: str) -> dict[str, float]:
    session = requests.Session()
    began = time.perf_counter()
    for name in names:
        session.get(
            f"{base_url}/domain-management/v1/tools/status",
            params={"domain": name},
            headers={"Fastly-Key": key},
            timeout=TIMEOUT,
        )
    return {"calls": len(names), "seconds": time.perf_counter() - began}


def _in_words(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes / 60:.1f} h" if minutes >= 60 else f"{minutes:.1f} min"
