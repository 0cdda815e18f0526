"""The plots of docs/protection.md, as SVG that comes out the same for the same figures.

The colours are Okabe and Ito's, which the colour-blind tell apart too; markers and lines differ as well. The ground is
light, so that a plot reads the same on a dark page.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.contest import ADAPTIVE, MONTHLY, PYPI_DEPLOYED, PYPI_DESIGNED, RUBYGEMS
from evaluation.routes import Route

STYLES = {
    PYPI_DEPLOYED: ("#E69F00", "s"),
    PYPI_DESIGNED: ("#D55E00", "D"),
    RUBYGEMS: ("#CC79A7", "^"),
    MONTHLY: ("#56B4E9", "o"),
    ADAPTIVE: ("#0072B2", "o"),
}
GROUND, INK, GRID = "#fbfbf9", "#222222", "#d5d5d0"
RC: dict[Any, Any] = {
    "svg.hashsalt": "lapsewatch",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "figure.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}

Document = Mapping[str, Any]


def draw(document: Document, folder: Path) -> None:
    """Write all plots."""
    for name, plot in {"routes": _routes, "curve": _curve, "delay": _delay, "mistakes": _mistakes}.items():
        with mpl.rc_context(RC), _saved(folder / f"protection-{name}.svg") as figure:
            plot(document, figure)


@contextmanager
def _saved(path: Path) -> Iterator[Figure]:
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    yield figure
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    # As the repository's hooks want it.
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))


def _routes(document: Document, figure: Figure) -> None:
    axes = figure.subplots()
    places = {route: -place for place, route in enumerate(Route)}
    for offset, (name, of) in enumerate(document["watchers"].items()):
        colour, marker = STYLES[name]
        shares = {route: of["routes"][route.value]["share"] for route in Route}
        known = [route for route in Route if shares[route]["mean"] is not None]
        axes.errorbar(
            [shares[route]["mean"] * 100 for route in known],
            [places[route] + (2 - offset) * 0.15 for route in known],
            xerr=_errors([shares[route] for route in known], 100),
            fmt=marker,
            color=colour,
            label=name,
            markersize=6,
        )
    axes.set_yticks(list(places.values()), [_wrapped(route.value) for route in places])
    axes.set_xlim(-3, 103)
    axes.set_xlabel("lapses protected, %")
    figure.legend(loc="outside upper center", ncols=3)


def _curve(document: Document, figure: Figure) -> None:
    share, delay = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    points = document["curve"]
    calls = [point["calls"]["mean"] for point in points]
    colour, marker = STYLES[ADAPTIVE]
    announced = [point["announced"]["share"] for point in points]
    share.errorbar(
        calls,
        [of["mean"] * 100 for of in announced],
        yerr=_errors(announced, 100),
        color=colour,
        marker=marker,
        label=f"{ADAPTIVE}, by its budget (in {document['method']['variant_seeds']} of the years)",
    )
    _line_of_days(delay, calls, [point["delay_days"]["median"] for point in points], colour, marker)
    for name, of in document["watchers"].items():
        if name == ADAPTIVE:
            continue
        other, shape = STYLES[name]
        told = of["routes"][Route.FLAGS_TELL.value]
        spent = [of["calls"]["mean"]]
        share.errorbar(
            spent,
            [told["share"]["mean"] * 100],
            yerr=_errors([told["share"]], 100),
            color=other,
            marker=shape,
            linestyle="none",
            label=name,
        )
        _line_of_days(delay, spent, [told["delay_days"]["median"]], other, shape)
    share.set_ylabel("protected, % of the announced\nlapses without a registry")
    delay.set_ylabel("median delay, days\nafter redemption began")
    delay.set_yscale("log")
    days = [0.5, 1, 2, 5, 10, 20, 50, 100]
    delay.set_yticks(days, [f"{day:g}" for day in days], minor=False)
    delay.set_yticks([], minor=True)
    delay.set_xscale("log")
    ticks = [3, 5, 10, 20, 50, 100, 350]
    delay.set_xticks(ticks, [str(tick) for tick in ticks], minor=False)
    delay.set_xticks([], minor=True)
    delay.set_xlabel("paid calls a domain and year")
    figure.legend(*share.get_legend_handles_labels(), loc="outside upper center", ncols=3)


def _line_of_days(axes: Axes, calls: list[float], days: list[float | None], colour: str, marker: str) -> None:
    known = [(x, y) for x, y in zip(calls, days, strict=True) if y is not None]
    axes.plot([x for x, _ in known], [y for _, y in known], color=colour, marker=marker)


def _delay(document: Document, figure: Figure) -> None:
    axes = figure.subplots()
    lines = ("solid", "dashed", "dashdot", "dotted", "solid")
    for (name, of), line in zip(document["watchers"].items(), lines, strict=True):
        curve = of["delay_days"]["cumulative"]
        axes.plot(
            [day for day, _ in curve],
            [part * 100 for _, part in curve],
            color=STYLES[name][0],
            linestyle=line,
            label=name,
        )
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_ylim(0, 101)
    axes.set_xlabel("days from the beginning of redemption")
    axes.set_ylabel("unverified by then, % of the lapses\nthat anybody could see")
    figure.legend(loc="outside upper center", ncols=3)


def _mistakes(document: Document, figure: Figure) -> None:
    axes = figure.subplots()
    for place, (name, of) in enumerate(document["watchers"].items()):
        colour, marker = STYLES[name]
        found = of["mistakes"]["all"]
        if found["mean"]:
            axes.errorbar([found["mean"]], [-place], xerr=_errors([found], 1), fmt=marker, color=colour, markersize=8)
            label = f"  {found['mean']:,.0f}" if found["mean"] >= 10 else f"  {found['mean']:.2g}"
        else:
            # None was seen: an arrow from what can't be ruled out.
            axes.plot([found["high"]], [-place], marker="<", color=colour, markersize=8)
            label = f"  none, so fewer than {found['high']:.2g}"
        axes.annotate(label, (found["mean"] or found["high"], -place), xytext=(4, 8), textcoords="offset points")
    axes.set_yticks([-place for place in range(len(document["watchers"]))], list(document["watchers"]))
    axes.set_xscale("log")
    axes.margins(x=0.25, y=0.15)
    axes.set_xlabel("addresses unverified while the owner had paid, of 100,000 in the year")


def _errors(found: list[Mapping[str, Any]], scale: float) -> list[list[float]]:
    """As matplotlib wants them: how far down, and how far up."""
    low = [(of["mean"] - (of["mean"] if of["low"] is None else of["low"])) * scale for of in found]
    high = [((of["mean"] if of["high"] is None else of["high"]) - of["mean"]) * scale for of in found]
    return [[max(value, 0.0) for value in low], [max(value, 0.0) for value in high]]


def _wrapped(text: str) -> str:
    """After the first comma."""
    return text.replace(", ", ",\n", 1)
