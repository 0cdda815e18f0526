"""How far long work has come: a bar where somebody watches, else a line now and then, on standard error."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0
ITEMS_BETWEEN_LOOKS = 100
"""How often a stream of unknown length looks at the clock: its items are cheap."""

Item = TypeVar("Item")


def followed(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items as they come, and show how many have."""
    return _with_bar(items, what, total) if sys.stderr.isatty() else _with_lines(items, what, total)


def _with_bar(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    columns = (
        TextColumn("{task.description:18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False) as progress:
        task = progress.add_task(what, total=total)
        step = 1 if total is not None else ITEMS_BETWEEN_LOOKS
        number = 0
        for number, item in enumerate(items, start=1):
            yield item
            if number % step == 0:
                progress.update(task, completed=number)
        progress.update(task, completed=number, total=total if total is not None else number)


def _with_lines(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    said_at = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
            said_at = time.monotonic()
            sys.stderr.write(f"{what}: {number:,}{f' of {total:,}' if total is not None else ''}\n")
