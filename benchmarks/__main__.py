"""`python -m benchmarks`: what `make bench` does."""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Iterable
from importlib import import_module

from rich.console import Console

from benchmarks import report
from benchmarks.bench import LARGE, QUICK, SMALL, Bench
from benchmarks.databases import Size, prepared
from benchmarks.measured import Measured

MODULES = ("sustained_rate", "unthrottled", "other_methods", "store", "all_stages", "daily_run")
WALKS = "all_stages"
"""The one that reads user databases of its own sizes."""

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Measure; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures speed, memory and growth; writes benchmarks/results. It takes a quarter of an hour.",
    )
    parser.add_argument("--only", nargs="+", choices=MODULES, default=MODULES, help="measure these; nothing is written")
    parser.add_argument("--quick", action="store_true", help="a rehearsal with a tenth of the data; nothing is written")
    chosen = parser.parse_args()
    # As an exception, so that what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    small, large = QUICK if chosen.quick else (SMALL, LARGE)
    began = time.perf_counter()
    with prepared(_sizes(chosen.only, small, large), console) as databases:
        measured = _measure(chosen.only, Bench(databases, small, large, chosen.quick, console))
        if tuple(chosen.only) == MODULES and not chosen.quick:
            report.write(measured, databases, time.perf_counter() - began)
            console.print(f"Written to benchmarks/results/{report.NAME}.md and .json")
    return int(any(of.reached is False for of in measured.values()))


def _sizes(names: Iterable[str], small: Size, large: Size) -> tuple[Size, ...]:
    return (small, large) if WALKS in names else ()


def _measure(names: Iterable[str], bench: Bench) -> dict[str, Measured]:
    """Measure one after the other; print each result as soon as it is there."""
    measured: dict[str, Measured] = {}
    for name in names:
        console.print(f"[bold]{name}[/]")
        began = time.perf_counter()
        found: Measured | dict[str, Measured] = import_module(f"benchmarks.{name}").measure(bench)
        of_module = {name: found} if isinstance(found, Measured) else found
        for of in of_module.values():
            console.print(f"  {of.title} ({of.goal}): {report.MARKS[of.reached]}")
            for figure, value in of.figures.items():
                console.print(f"    {figure}: {report.shown(value)}")
        bench.say(f"took {time.perf_counter() - began:.0f} s")
        measured |= of_module
    return measured


if __name__ == "__main__":
    sys.exit(main())
