"""How many domains a second one worker process asks about and decides on, when nobody holds it back."""

from benchmarks import apart, asking
from benchmarks.bench import Bench
from benchmarks.databases import Size
from benchmarks.internet import simulated
from benchmarks.measured import Measured

DOMAINS = 8_000
LATENCY_MS = 150
PER_SECOND = 5_000
IN_FLIGHT = 512
GOAL = 700


def measure(bench: Bench) -> Measured:
    """Ask about all domains of a status database in one process."""
    status_url = bench.databases.status_database_of(Size(0, DOMAINS))
    asking.plan(status_url, 1)
    with simulated(accounts=1, latency_ms=LATENCY_MS) as internet:
        spent = apart.run(asking.ask, status_url, internet.url, internet.key, 0, PER_SECOND, IN_FLIGHT)
    answered = asking.answered(status_url)
    rate = answered["domains"] / answered["seconds"]
    return Measured(
        title="unthrottled, one worker process",
        method=(
            f"check_batch of {DOMAINS:,} domains in one process, the simulator in another, over HTTP, {LATENCY_MS} ms"
            f" before each answer; a budget of {PER_SECOND:,}/s and {IN_FLIGHT} places, which is not the limit; answers"
            " decided on and written to PostgreSQL; from the first question to the last answer"
        ),
        goal=f"at least {GOAL} domains/s",
        reached=rate >= GOAL,
        figures={
            "domains/s": round(rate),
            "domains/s, connecting and reading included": round(answered["domains"] / spent.seconds),
            "CPU of the worker, ms a domain": round(1000 * spent.cpu_seconds / answered["domains"], 2),
            "peak, MiB": round(spent.peak_mib),
        },
    )
