"""Writes what the contest found: JSON to compute with, Markdown to read, plots, the tables of docs/protection.md."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from evaluation import plots, tables
from evaluation.contest import CALLS_A_YEAR, PLAIN_SAMPLE, VARIANT_SEEDS, Size, interval_for, pypi_interval
from evaluation.goals import goals
from evaluation.year import EPOCH, WARM_UP_DAYS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "protection.md"
NAME = "protection"


def document(figures: dict[str, Any], size: Size, jobs: int, seconds: float) -> dict[str, Any]:
    """Return the figures with where they come from and how they were found."""
    return {
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "is_dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "seconds": round(seconds),
        "machine": {
            "cores": os.cpu_count(),
            "jobs": jobs,
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "method": {
            "seeds": size.seeds,
            "domains": size.domains,
            "epoch": EPOCH.date().isoformat(),
            "warm_up_days": WARM_UP_DAYS,
            "plain_domains_played": f"1 of {PLAIN_SAMPLE}",
            "variant_seeds": min(VARIANT_SEEDS, size.seeds),
            "calls_per_domain_year": CALLS_A_YEAR,
            "interval_days": interval_for(CALLS_A_YEAR),
            "pypi_interval_days": pypi_interval(),
        },
        "goals": goals(figures),
        **figures,
    }


def write(found: dict[str, Any]) -> None:
    """Write everything."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{NAME}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / f"{NAME}.md").write_text(as_markdown(found))
    plots.draw(found, RESULTS)
    DOCUMENT.write_text(tables.rewritten(DOCUMENT.read_text(), found))


def read() -> dict[str, Any]:
    """Return what was found last."""
    document: dict[str, Any] = json.loads((RESULTS / f"{NAME}.json").read_text())
    return document


def as_markdown(found: dict[str, Any]) -> str:
    """Return what was found for people to read."""
    method, machine = found["method"], found["machine"]
    dirty = ", with changes that are not committed" if found["is_dirty"] else ""
    lines = [
        "# A simulated year: what is protected, at what price, and how often wrongly",
        "",
        "Written by `make evaluate`; [docs/protection.md](../../docs/protection.md) says what it means.",
        "",
        f"- commit {found['commit']}{dirty}; {found['seconds'] / 60:.0f} minutes on {machine['jobs']} cores",
        f"- {method['seeds']} seeds of {method['domains']:,} domains; a year after {method['warm_up_days']} days",
        "- in brackets, 95 % intervals: of shares Clopper and Pearson's; of who was wronged or came back, and of days",
        "  above a limit, by drawing seeds again (rule of three where nobody was); else Student's t between seeds",
    ]
    for name, render in tables.TABLES.items():
        if name != "assumptions":
            lines += ["", f"## {name.capitalize()}", "", render(found).rstrip()]
    return "\n".join(lines) + "\n"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
