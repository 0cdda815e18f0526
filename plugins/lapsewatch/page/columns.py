"""What the columns of tables hold, and how that is written in a cell."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lapsewatch.core import wording
from lapsewatch.page.wording import minute, phase


class Kind(StrEnum):
    """What a column holds, and so how it is written."""

    TEXT = "text"
    DOMAIN = "domain"
    RUN = "run"
    PHASE = "phase"
    COUNT = "count"
    CHANGE = "change"
    SHARE = "share"
    DOLLARS = "dollars"
    SECONDS = "seconds"
    DAY = "day"
    MINUTE = "minute"

    @property
    def is_number(self) -> bool:
        """Whether it is a number, which a chart can draw."""
        return self in {Kind.COUNT, Kind.CHANGE, Kind.SHARE, Kind.DOLLARS, Kind.SECONDS}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the statement, and its heading. `series` is the colour in which a chart draws it, if it does."""

    name: str
    heading: str
    kind: Kind = Kind.TEXT
    series: str | None = None


NOTHING = "\N{EN DASH}"

_WRITTEN: dict[Kind, Callable[[Any], str]] = {
    Kind.PHASE: phase,
    Kind.COUNT: "{:,}".format,
    Kind.SHARE: "{:.1%}".format,
    Kind.DOLLARS: "${:,.2f}".format,
    Kind.SECONDS: "{:,.1f}".format,
    Kind.DAY: lambda value: wording.day(value) if hasattr(value, "astimezone") else f"{value:%Y-%m-%d}",
    Kind.MINUTE: minute,
}


def cell(value: Any, kind: Kind) -> str:
    """Return a value in words; a dash where there is none."""
    if value is None:
        return NOTHING
    if kind is Kind.CHANGE:
        return f"{value:+,}".replace("-", "\N{MINUS SIGN}") if value else "no change"
    return _WRITTEN.get(kind, str)(value)
