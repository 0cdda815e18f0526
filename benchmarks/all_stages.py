"""All stages over a small and a large user base: how time and memory grow, and the goals of single stages."""

import time

from lapsewatch.stages.run import STAGES
from sqlalchemy import text

from benchmarks import apart, audit, walk
from benchmarks.apart import Spent
from benchmarks.bench import Bench
from benchmarks.databases import Size, engine_on, run_file
from benchmarks.measured import Measured
from local import privileges

STATUS = "measured_walk"
RATIO = 11
EXTRACT_SECONDS, EXTRACT_MIB = 60, 250
PLAN_SECONDS = 30
UNVERIFY_SECONDS = 30
SLOTS = 2
SPREAD_MIB = 32
"""A peak of memory that differs by less is the same: an allocator's luck, and a buffer that was not full."""


def measure(bench: Bench) -> dict[str, Measured]:
    """Walk over both; extract once more over the large one, as every later run does."""
    small, _ = _walk(bench, bench.small)
    large, again = _walk(bench, bench.large)
    return {
        "extract": _extract(bench, large["extract_domains"], again),
        "plan": _plan(large["plan_batches"]),
        "unverify": _unverify(bench, large["plan_unverifications"], large["unverify_emails"]),
        "memory": _memory(bench, small, large),
        "time": _time(bench, small, large),
        "disk": _disk(bench),
    }


def _walk(bench: Bench, size: Size) -> tuple[dict[str, Spent], Spent]:
    """Take every stage of a run over everybody; return what each took, and a second extraction."""
    status_url = bench.databases.new_status_database(STATUS)
    users_url = bench.databases.users(size, privileges.UNVERIFIER)
    reader_url = bench.databases.users(size)
    key = f"walk {size.hosts}", "all"
    taken: dict[str, Spent] = {}
    for name in STAGES[: STAGES.index("summarise_run") + 1]:
        url = reader_url if name.startswith("extract") else users_url
        if name == "check_batch":
            taken[name] = _check(taken["plan_batches"].returned["batch_count"], *key, status_url)
        else:
            take = audit.take if name == "validate_checks" else walk.take
            taken[name] = apart.run(take, name, *key, url, status_url)
        bench.say(f"{size.hosts:,} hosts: {name} {taken[name].seconds:.1f} s, peak {taken[name].peak_mib:.0f} MiB")
    again = apart.run(walk.take, "extract_domains", "the next run", "all", reader_url, status_url)
    bench.say(f"{size.hosts:,} hosts: extract_domains again {again.seconds:.1f} s, peak {again.peak_mib:.0f} MiB")
    _verify_again(bench, size)
    return taken, again


def _check(batch_count: int, run_id: str, scope: str, status_url: str) -> Spent:
    """Ask about all batches in so many processes as the pool has slots here; return the whole."""
    began = time.perf_counter()
    each = [(list(range(slot, batch_count, SLOTS)), run_id, scope, status_url) for slot in range(SLOTS)]
    with apart.started(walk.check, *each) as slots:
        done = [apart.spent(slot) for slot in slots]
    return Spent(
        None,
        time.perf_counter() - began,
        sum(spent.cpu_seconds for spent in done),
        max(spent.peak_mib for spent in done),
        max(spent.grown_mib for spent in done),
    )


def _verify_again(bench: Bench, size: Size) -> None:
    """Give back what the walk took, so that the users can be walked over again."""
    engine = engine_on(bench.databases.server.url(size.users))
    with engine.begin() as connection:
        run_file(connection, "verify_again")
    engine.dispose()
    bench.databases.settle(bench.databases.server.url(size.users))


def _disk(bench: Bench) -> Measured:
    """Look at the status database that the large walk has left."""
    query = """
        select pg_database_size(current_database()),
               sum(pg_total_relation_size(relid)) filter (where relname like 'domain_check%'),
               sum(pg_total_relation_size(relid)) filter (where relname = 'domain_status'),
               (select count(*) from lapsewatch.domain_check)
        from pg_stat_user_tables
        where schemaname = 'lapsewatch'
    """
    engine = engine_on(bench.databases.server.url(STATUS))
    with engine.connect() as connection:
        whole, checks, domains, count = connection.execute(text(query)).one()
    engine.dispose()
    return Measured(
        title=f"disk for {bench.large.hosts:,} domains after one check of each",
        method="PostgreSQL's own figures for the status database that the large walk has left, indexes included",
        goal="none",
        reached=None,
        figures={
            "the status database, MiB": round(whole / 2**20),
            "bytes a check": round(checks / count),
            "bytes a domain in domain_status": round(domains / count),
        },
    )


def _extract(bench: Bench, first: Spent, again: Spent) -> Measured:
    peak, grown = max(first.peak_mib, again.peak_mib), max(first.grown_mib, again.grown_mib)
    return Measured(
        title=f"extract {bench.large.addresses:,} addresses on {bench.large.hosts:,} hosts",
        method=(
            "extract_domains in a process of its own, from the views of the profile pypi as lapsewatch_reads, into an"
            " empty status database, and once more at the end; the peak of that process's memory, Airflow's task SDK"
            " in it"
        ),
        goal=f"under {EXTRACT_SECONDS} s, under {EXTRACT_MIB} MB in the task",
        reached=max(first.seconds, again.seconds) < EXTRACT_SECONDS and peak < EXTRACT_MIB,
        figures={
            "first extraction, s": round(first.seconds, 1),
            "each later one, s": round(again.seconds, 1),
            "peak, MiB": round(peak),
            "of it the stage's own, MiB": round(grown),
            "addresses": first.returned["address_count"],
            "custom domains": first.returned["domain_count"],
        },
    )


def _plan(spent: Spent) -> Measured:
    return Measured(
        title=f"plan {spent.returned['planned_count']:,} domains",
        method="plan_batches with the scope all, in the same walk",
        goal=f"under {PLAN_SECONDS} s",
        reached=spent.seconds < PLAN_SECONDS,
        figures={"seconds": round(spent.seconds, 1), "batches": spent.returned["batch_count"]},
    )


def _unverify(bench: Bench, plan: Spent, unverify: Spent) -> Measured:
    seconds = plan.seconds + unverify.seconds
    return Measured(
        title=f"unverify {bench.large.hosts // walk.LAPSED_IN:,} hosts among {bench.large.addresses:,} addresses",
        method="plan_unverifications and unverify_emails in the same walk, as lapsewatch_unverifies, limits lifted",
        goal=f"under {UNVERIFY_SECONDS} s",
        reached=seconds < UNVERIFY_SECONDS,
        figures={
            "seconds": round(seconds, 1),
            "of them to plan": round(plan.seconds, 1),
            "addresses unverified": unverify.returned["unverified_count"],
        },
    )


def _memory(bench: Bench, small: dict[str, Spent], large: dict[str, Spent]) -> Measured:
    figures = {f"{name}, MiB": (round(small[name].peak_mib), round(large[name].peak_mib)) for name in large}
    return Measured(
        title=f"peak of memory of each task at {bench.small.hosts:,} and {bench.large.hosts:,} domains",
        method=(
            "each stage of the walk in a process of its own; its peak (VmHWM) with Airflow's task SDK, and in"
            f" validate_checks Great Expectations, in it; the same is what differs by less than {SPREAD_MIB} MiB"
        ),
        goal="does not grow with the number of domains",
        reached=all(large[name].peak_mib - small[name].peak_mib < SPREAD_MIB for name in large),
        figures=figures,
    )


def _time(bench: Bench, small: dict[str, Spent], large: dict[str, Spent]) -> Measured:
    seconds = {name: (small[name].seconds, large[name].seconds) for name in large}
    totals = [sum(pair[place] for pair in seconds.values()) for place in (0, 1)]
    ratio = totals[1] / totals[0]
    return Measured(
        title=f"time for {bench.large.hosts:,} domains over time for {bench.small.hosts:,}",
        method=(
            "all stages without the waiting for HTTP: every stage of a first run over everybody, one after the other,"
            f" check_batch in {SLOTS} processes; the status API, registries and DNS answer at once, in the process; one"
            f" domain in {walk.LAPSED_IN} has lapsed; ten times the addresses on ten times the domains"
        ),
        goal=f"at most {RATIO}",
        reached=ratio <= RATIO,
        figures={
            "ratio": round(ratio, 2),
            "all stages, s": (round(totals[0]), round(totals[1])),
            **{f"{name}, s": (round(pair[0], 1), round(pair[1], 1)) for name, pair in seconds.items()},
        },
    )
