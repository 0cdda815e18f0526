"""Seeded draws that come out the same in every process and every Python version."""

import random
from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Things to draw from, each with its weight (any positive unit)."""

    def __init__(self, pairs: Iterable[tuple[T, float]]) -> None:
        pairs = list(pairs)
        self.items = tuple(item for item, _ in pairs)
        self.cumulative = tuple(accumulate(weight for _, weight in pairs))


class Draw:
    """A stream of draws that its seed words decide.

    Python promises stable results only for `Random.random()` seeded with a string; `choice`, `randrange` and
    the like may change between versions. So everything here is built on `random()` alone.
    """

    def __init__(self, *seed: str) -> None:
        self._random = random.Random("/".join(seed)).random

    def chance(self, share: float) -> bool:
        """True in this share (0..1) of draws."""
        return self._random() < share

    def between(self, low: float, high: float) -> float:
        """A number from low up to, not including, high."""
        return low + (high - low) * self._random()

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int((high - low + 1) * self._random())

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely as the others."""
        return items[int(len(items) * self._random())]

    def weighted(self, choices: Weighted[T]) -> T:
        """One of the items, by weight."""
        cumulative = choices.cumulative
        return choices.items[bisect(cumulative, cumulative[-1] * self._random(), 0, len(cumulative) - 1)]
