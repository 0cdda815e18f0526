"""What a measure says: how it was done, what the goal was, and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = int | float | str | tuple[float, float]
"""A pair is of the small and the large user base."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure's result: figures by name, the goal in words, and whether it was reached (None: there is none)."""

    title: str
    method: str
    goal: str
    reached: bool | None
    figures: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ModuleMeasured:
    """What a module of this package has measured, by name, and in how many seconds."""

    measures: Mapping[str, Measured]
    seconds: float
