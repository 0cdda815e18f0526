"""The tables of the results and of docs/protection.md, rendered from what `make evaluate` found."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evaluation.routes import VISIBLE, Route
from evaluation.score import AT_FIRST, IN_WARM_UP, LATER, TIMES, Escape, Mistake
from simulator.year.assumptions import assumption_rows

Document = Mapping[str, Any]
Cell = Callable[[Document], str]

_BLOCK = re.compile(r"(<!-- evaluated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str, document: Document) -> str:
    """Return a text with its tables rendered anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}{TABLES[block[2]](document)}{block[3]}", text)


def contest(document: Document) -> str:
    """Each watcher, and what it comes to."""
    return _by_watcher(
        document,
        {
            "protected, of all lapses": lambda of: _share(of["all"]["share"]),
            "protected, of those that anybody could see": lambda of: _share(of["visible"]["share"]),
            "before a stranger held it, of all that one came to": lambda of: _share(of["before a stranger held it"]),
            "delay after redemption begins, median": lambda of: _days(of["delay_days"]["median"]),
            "95 of 100 within": lambda of: _days(of["delay_days"]["95 %"]),
            "worst; never in the year": lambda of: _worst(of["delay_days"]),
            "wronged at the first check, of 100,000 addresses": lambda of: _number(of["mistakes"][AT_FIRST]["all"]),
            "wronged later in the warm-up, of 100,000": lambda of: _number(of["mistakes"][IN_WARM_UP]["all"]),
            "wronged later, of 100,000 a year": lambda of: _number(of["mistakes"][LATER]["all"]),
            "owner came back out of a lapse, of 100,000 a year": lambda of: _number(of["came_back"]),
            "paid calls a domain and year": lambda of: _number(of["calls"], 2),
            "list price, 100,000 domains a year": lambda of: f"${of['dollars']['mean']:,.0f}",
            "RDAP queries a domain and year": lambda of: _number(of["registry"], 1),
            "DNS readings a domain and year": lambda of: _number(of["dns"], 1),
            "most RDAP queries to one server in a day": lambda of: f"{of['busiest_server']['queries_a_day']:,}",
        },
    )


def routes(document: Document) -> str:
    """The share protected on each route."""
    rows: dict[str, Cell] = {}
    for route in Route:
        mark = "" if route in VISIBLE else " (not to be told from the record)"
        lapses = next(iter(document["watchers"].values()))["routes"][route.value]["lapses"]
        rows[f"{route.value}{mark}: {lapses:,}"] = _protected_on(route)
    return _by_watcher(document, rows)


def mistakes(document: Document) -> str:
    """Who was wronged, when and why, of 100,000 addresses."""
    rows: dict[str, Cell] = {}
    for when in TIMES:
        for why in Mistake:
            rows[f"{when}: {why.value}"] = _mistaken(when, why)
    rows["days until nothing speaks against them, at least, median"] = lambda of: _count(
        of["days_until_right"]["median"], of
    )
    rows["the longest within the year"] = lambda of: _count(of["days_until_right"]["worst"], of)
    rows["not within the year"] = lambda of: _part(of["days_until_right"]["not_within_the_year"])
    rows["of the protected, unverified while the owner had paid"] = lambda of: f"{of['visible']['by_mistake']:,}"
    return _by_watcher(document, rows)


def escapes(document: Document) -> str:
    """Why lapses that anybody could see were missed."""
    rows: dict[str, Cell] = {}
    for route in VISIBLE:
        for why in Escape:
            missed = _missed(route, why)
            if any(missed(of) != "0" for of in document["watchers"].values()):
                rows[f"{route.value}: {why.value}"] = missed
    return _by_watcher(document, rows)


def auctions(document: Document) -> str:
    """The share protected with other shares of auctions."""
    shares: Mapping[str, Any] = document["auction_shares"]
    rows = []
    for name in document["watchers"]:
        for label, key in (("that anybody could see", "share"), ("all", "any route")):
            rows.append([f"{name}: {label}", *(_share(of[name][key]) for of in shares.values())])
    return _table([f"lapses protected, where so many are auctioned ({_years(document)})", *shares], rows)


def sensitivity(document: Document) -> str:
    """The adaptive cadence under other assumptions."""
    rows = [
        [name, f"{of['lapses']:,}", _share(of["share"]), _number(of["mistakes"])]
        for name, of in document["sensitivity"].items()
    ]
    header = [
        f"corroborated, adaptive ({_years(document)})",
        "lapses that anybody could see",
        "protected of them",
        "wronged, of 100,000 addresses",
    ]
    return _table(header, rows)


def curve(document: Document) -> str:
    """Budgets of calls, and what they buy."""
    rows = [
        [
            f"{point['calls_per_domain_year']:g}",
            f"{point['interval_days']}",
            _number(point["calls"], 2),
            _share(point["announced"]["share"]),
            _days(point["delay_days"]["median"]),
            _days(point["delay_days"]["95 %"]),
        ]
        for point in document["curve"]
    ]
    header = [
        f"`calls_per_domain_year` ({_years(document)})",
        "days between calls where no registry answers",
        "calls made",
        "protected, of those announced there",
        "delay, median",
        "95 of 100 within",
    ]
    return _table(header, rows)


def limits(document: Document) -> str:
    """On how many days of a year a run would have asked a person."""
    named = next(iter(document["watchers"].values()))["days_above"]
    return _by_watcher(document, {f"days with more than {limit}": _days_above(limit) for limit in named})


def goals(document: Document) -> str:
    """What was asked for, and what came of it."""
    marks = {True: "reached", False: "**missed**"}
    rows = [
        [of["goal"].replace("%", " %"), of["found"].replace("%", " %"), marks[of["reached"]]]
        for of in document["goals"]
    ]
    return _table(["goal", "found", ""], rows)


def assumptions(_document: Document) -> str:
    """The table of the world's assumptions."""
    return _table(["what", "value", "source"], [list(row) for row in assumption_rows()], numbers=False)


TABLES: dict[str, Cell] = {
    "contest": contest,
    "routes": routes,
    "mistakes": mistakes,
    "escapes": escapes,
    "auctions": auctions,
    "sensitivity": sensitivity,
    "curve": curve,
    "limits": limits,
    "goals": goals,
    "assumptions": assumptions,
}


def _by_watcher(document: Document, rows: Mapping[str, Cell]) -> str:
    watchers: Mapping[str, Any] = document["watchers"]
    return _table(["", *watchers], [[name, *(figure(of) for of in watchers.values())] for name, figure in rows.items()])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    ruler = ["---", *(("---:" if numbers else "---") for _ in header[1:])]
    return "".join(f"| {' | '.join(line)} |\n" for line in [header, ruler, *rows])


def _years(document: Document) -> str:
    number = document["method"]["variant_seeds"]
    return "1 year" if number == 1 else f"{number} years"


def _protected_on(route: Route) -> Cell:
    return lambda of: _share(of["routes"][route.value]["share"])


def _mistaken(when: str, why: Mistake) -> Cell:
    return lambda of: _number(of["mistakes"][when][why.value])


def _missed(route: Route, why: Escape) -> Cell:
    return lambda of: f"{of['escapes'].get(route.value, {}).get(why.value, 0):,}"


def _days_above(limit: str) -> Cell:
    return lambda of: _number(of["days_above"][limit])


def _share(found: Document) -> str:
    if found["mean"] is None:
        return "none"
    between = "" if found["low"] is None else f" ({found['low']:.1%}-{found['high']:.1%})"
    return f"{found['mean']:.1%}{between}".replace("%", " %")


def _part(found: float | None) -> str:
    return "-" if found is None else f"{found:.0%}".replace("%", " %")


def _number(found: Document, digits: int = 1) -> str:
    if found["mean"] == 0 and found["high"]:
        return f"0 (< {found['high']:.2g})"
    between = "" if found["low"] is None else f" ({found['low']:,.{digits}f}-{found['high']:,.{digits}f})"
    return f"{found['mean']:,.{digits}f}{between}"


def _days(found: float | None) -> str:
    return "never" if found is None else f"{found:,.1f} days"


def _worst(found: Document) -> str:
    return f"{_days(found['worst'])}; {found['never']:,} of {found['of']:,}"


def _count(found: int | None, of: Document) -> str:
    if of["days_until_right"]["not_within_the_year"] is None:
        return "-"
    return "not within the year" if found is None else f"{found}"
