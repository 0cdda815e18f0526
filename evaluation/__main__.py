"""`python -m evaluation`: what `make evaluate` does."""

import argparse
import os
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from evaluation import report
from evaluation.contest import Size, play
from evaluation.figures import figures

FULL = Size(seeds=10, domains=100_000)


def main() -> int:
    """Play the contest; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation",
        description="Plays a simulated year under every policy. The full size is written to benchmarks/results, to"
        " docs/protection.md and its plots; any other is a rehearsal, and only printed.",
    )
    parser.add_argument("--seeds", type=int, default=FULL.seeds, help="years, each another (default: %(default)s)")
    parser.add_argument("--domains", type=int, default=FULL.domains, help="domains a year (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--write", action="store_true", help="write what another size gives as well")
    chosen = parser.parse_args()
    size = Size(chosen.seeds, chosen.domains)
    console = Console(stderr=True, highlight=False)
    began = time.perf_counter()
    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=size.seeds * size.domains)
        results = play(size, chosen.jobs, lambda played: progress.update(task, completed=played))
    document = report.document(figures(results), size, chosen.jobs, time.perf_counter() - began)
    if size == FULL or chosen.write:
        report.write(document)
        console.print(f"Written to benchmarks/results/{report.NAME}.md, .json and .svg, and to docs/protection.md")
    print(report.as_markdown(document))
    return int(not all(goal["reached"] for goal in document["goals"]))


if __name__ == "__main__":
    sys.exit(main())
