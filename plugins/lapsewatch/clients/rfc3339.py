"""Dates as RDAP and its bootstrap files write them (RFC 3339), without guessing."""

import re
from datetime import UTC, datetime

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,30})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def read_instant(value: object) -> datetime | None:
    """Return the instant in UTC; None for anything else, a date without an offset included: it could be any zone's."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
