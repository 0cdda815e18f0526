"""What every measure is given."""

from dataclasses import dataclass

from rich.console import Console

from benchmarks.databases import Databases, Size

SMALL, LARGE = Size(1_000_000, 100_000), Size(10_000_000, 1_000_000)
QUICK = Size(100_000, 10_000), Size(1_000_000, 100_000)


@dataclass(frozen=True, slots=True)
class Bench:
    """The databases, the sizes that are compared, and whether this is a quick rehearsal."""

    databases: Databases
    small: Size
    large: Size
    is_quick: bool
    console: Console

    def say(self, words: str) -> None:
        """Print progress."""
        self.console.print(f"  {words}")
