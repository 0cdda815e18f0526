"""What happens on which day."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from local.season.world import APPEALS, DAY

DAYS = 21
DRY_DAYS = 2
REFUSED_ON = 9
BACKFILLED_ON = 18
BACKFILLED_DAYS = 2
MENDED_ON = 15
"""The days are counted from 0, the first one; the last one is today."""

BY = ("--by", "support")
KEY_REFUSED = ({"kind": "refused", "status": 403},)
UNLIMITED: dict[str, Any] = {
    "max_unverifications": 1_000_000,
    "max_address_share": 1.0,
    "max_domain_share": 1.0,
    "max_growth": 1_000_000.0,
    "max_unverifications_per_tld": 1_000_000,
    "max_address_share_per_tld": 1.0,
    "max_domain_share_per_tld": 1.0,
    "max_growth_per_tld": 1_000_000.0,
}
"""A small user base: a lapse or two are a large share of it, and only today somebody is to be asked."""


@dataclass(frozen=True, slots=True)
class Day:
    """A run, as of an instant: how it ends (a state, or `asked`), and the commands that people give after it."""

    now: str
    logical_date: str
    run_type: str = "scheduled"
    conf: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    ends: str = "success"
    then: tuple[tuple[str, ...], ...] = ()


def days(now: datetime) -> list[dict[str, Any]]:
    """Return the runs of the three weeks until `now`, in the order in which they happened."""
    planned: list[Day] = []
    for number in range(DAYS):
        at = now - (DAYS - 1 - number) * DAY
        conf: dict[str, Any] = {"dry_run": number < DRY_DAYS, **UNLIMITED}
        if number == 0:
            conf["scope"] = "all"
        if number == DAYS - 1:
            planned.append(_day(at, conf={"dry_run": False}, ends="asked"))
        elif number == REFUSED_ON:
            planned.append(_day(at, conf=conf, faults=KEY_REFUSED, ends="failed"))
        elif number == MENDED_ON:
            planned.append(_day(at, conf=conf, then=_mending()))
        else:
            planned.append(_day(at, conf=conf))
        if number == BACKFILLED_ON:
            planned += _backfill(at, conf)
    return [asdict(day) for day in planned]


def _day(at: datetime, **more: Any) -> Day:
    return Day(at.isoformat(), datetime.combine(at.date(), time(), at.tzinfo).isoformat(), **more)


def _backfill(at: datetime, conf: dict[str, Any]) -> list[Day]:
    """Return the runs of a backfill: of days before the first one, which no daily run has had."""
    first = at - DAYS * DAY
    return [
        Day(
            (at + timedelta(hours=1 + number)).isoformat(),
            datetime.combine((first + number * DAY).date(), time(), at.tzinfo).isoformat(),
            "backfill",
            conf | {"recheck": True},
        )
        for number in range(BACKFILLED_DAYS)
    ]


def _mending() -> tuple[tuple[str, ...], ...]:
    """Return what support does: one owner has paid in time and is given back what was taken, another one will soon."""
    paid, promised = APPEALS
    return (
        ("undo", "--domain", paid, "--why", "the registrar's mistake: the owner has its receipt", *BY, "--apply"),
        ("exempt", "--domain", promised, "--why", "the owner restores it this week", *BY),
    )
