"""The rate that two tasks together keep up against an API that grants so many calls a second and not one more."""

import time

from benchmarks import apart, asking
from benchmarks.bench import Bench
from benchmarks.databases import Size
from benchmarks.internet import Internet, simulated
from benchmarks.measured import Measured

GRANTED = 200
LATENCY_MS = 150
IN_FLIGHT = 64
TASKS = 2
SECONDS_BEFORE = 5
SHARE = 0.97
REFUSED_SHARE = 0.001


def measure(bench: Bench) -> Measured:
    """Ask for a while, then count for a minute what the API granted and what it refused."""
    window = 15 if bench.is_quick else 60
    hosts = GRANTED * (window + SECONDS_BEFORE + 5)
    status_url = bench.databases.status_database_of(Size(0, hosts))
    asking.plan(status_url, TASKS)
    with simulated(accounts=1, latency_ms=LATENCY_MS, requests_per_second=GRANTED) as internet:
        each = [(status_url, internet.url, internet.key, batch, GRANTED, IN_FLIGHT) for batch in range(TASKS)]
        with apart.started(asking.ask, *each) as tasks:
            _await_first_call(internet)
            time.sleep(SECONDS_BEFORE)
            before, began = internet.calls()["by_status"], time.perf_counter()
            time.sleep(window)
            after, seconds = internet.calls()["by_status"], time.perf_counter() - began
            for task in tasks:
                apart.spent(task)
        in_all = internet.calls()
    granted = after.get("200", 0) - before.get("200", 0)
    share = granted / seconds / GRANTED
    refused_share = in_all["by_status"].get("429", 0) / in_all["total"]
    return Measured(
        title=f"sustained share of an allowed {GRANTED} requests/s",
        method=(
            f"check_batch in {TASKS} processes with one shared budget of {GRANTED}/s and {IN_FLIGHT} places, over HTTP;"
            f" the API answers after {LATENCY_MS} ms, grants exactly {GRANTED}/s and refuses what is above; granted"
            f" calls over {window} s, beginning {SECONDS_BEFORE} s after the first; refused calls of the whole run"
        ),
        goal=f"at least {SHARE}, refused calls under {REFUSED_SHARE:.1%}",
        reached=share >= SHARE and refused_share < REFUSED_SHARE,
        figures={
            "share": round(share, 4),
            "calls granted a second": round(granted / seconds, 1),
            "calls refused, %": round(100 * refused_share, 3),
            "calls in all": in_all["total"],
        },
    )


def _await_first_call(internet: Internet) -> None:
    while not internet.calls()["total"]:
        time.sleep(0.1)
