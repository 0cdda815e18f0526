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
from benchmarks.measured import Measured, ModuleMeasured

MODULES = tuple(module for document in report.REPORTS for module in document.modules)
WALKS = "all_stages"
"""The one that reads user databases of its own sizes."""

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Measure; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures speed, memory and growth. It takes twenty minutes. A document in benchmarks/results is"
        " written where all that it tells of was measured.",
    )
    parser.add_argument("--only", nargs="+", choices=MODULES, default=MODULES, help="measure these")
    parser.add_argument("--quick", action="store_true", help="a rehearsal with a tenth of the data; nothing is written")
    chosen = parser.parse_args()
    # As an exception, so that what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    small, large = QUICK if chosen.quick else (SMALL, LARGE)
    with prepared(_sizes(chosen.only, small, large), console) as databases:
        measured = _measure(chosen.only, Bench(databases, small, large, chosen.quick, console))
        for document in report.REPORTS:
            if measured.keys() >= set(document.modules) and not chosen.quick:
                report.write(document, [measured[module] for module in document.modules], databases)
                console.print(f"Written to benchmarks/results/{document.name}.md and .json")
    return int(any(of.reached is False for module in measured.values() for of in module.measures.values()))


def _sizes(names: Iterable[str], small: Size, large: Size) -> tuple[Size, ...]:
    return (small, large) if WALKS in names else ()


def _measure(names: Iterable[str], bench: Bench) -> dict[str, ModuleMeasured]:
    """Measure one after the other; print each result as soon as it is there."""
    measured: dict[str, ModuleMeasured] = {}
    for name in names:
        console.print(f"[bold]{name}[/]")
        began = time.perf_counter()
        found: Measured | dict[str, Measured] = import_module(f"benchmarks.{name}").measure(bench)
        of_module = {name: found} if isinstance(found, Measured) else found
        for of in of_module.values():
            console.print(f"  {of.title} ({of.goal}): {report.MARKS[of.reached]}")
            for figure, value in of.figures.items():
                console.print(f"    {figure}: {report.shown(value)}")
        measured[name] = ModuleMeasured(of_module, time.perf_counter() - began)
        bench.say(f"took {measured[name].seconds:.0f} s")
    return measured


if __name__ == "__main__":
    sys.exit(main())
