"""Publishing 100,000 results into a status database that knows a million domains."""

from datetime import UTC, datetime

from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run

from benchmarks import apart, walk
from benchmarks.bench import Bench
from benchmarks.databases import engine_on, run_file
from benchmarks.measured import Measured

RESULTS_SHARE = 10
"""One domain in so many has a result."""

SECONDS = 10


def measure(bench: Bench) -> Measured:
    """Plan what is due, answer in SQL as the stages before would, and store it."""
    status_url = bench.databases.status_database_of(bench.large)
    engine = engine_on(status_url)
    run = Run("store", datetime.now(UTC))
    with engine.begin() as connection:
        run_file(connection, "make_due", domains=bench.large.hosts // RESULTS_SHARE)
    _, planned = plan_batches(run, engine)
    with engine.begin() as connection:
        run_file(connection, "answer_checks", run_id=run.run_id, lapsed_in=walk.LAPSED_IN)
    engine.dispose()
    bench.databases.settle(status_url)
    spent = apart.run(walk.take, "store_domain_status", run.run_id, "due", status_url, status_url)
    return Measured(
        title=f"store {planned:,} results",
        method=(
            f"store_domain_status of a run of {planned:,} domains into a status database of {bench.large.hosts:,}, most"
            f" of them active, one in {walk.LAPSED_IN} lapsed; answered, vacuumed and analyzed before"
        ),
        goal=f"under {SECONDS} s",
        reached=spent.seconds < SECONDS,
        figures={
            "seconds": round(spent.seconds, 1),
            "merged": spent.returned["merged_count"],
            "lapses opened": spent.returned["opened_lapse_count"],
            "peak, MiB": round(spent.peak_mib),
        },
    )
