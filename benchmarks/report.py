"""Writes what was measured: as JSON to compute with, as Markdown to read."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import scaling
from benchmarks.databases import PRODUCTION, Databases
from benchmarks.measured import ModuleMeasured, Value
from local.checkout import ROOT

RESULTS = Path(__file__).parent / "results"
SETTINGS_THAT_MATTER = ("fsync", "full_page_writes", "synchronous_commit", "shared_buffers", "max_wal_size")
MARKS = {True: "reached", False: "**missed**", None: ""}


@dataclass(frozen=True, slots=True)
class Report:
    """A document in `results/`, as JSON and as Markdown: its name there, its title, the modules that measure for it."""

    name: str
    title: str
    modules: tuple[str, ...]


BULK_ASSESSMENT = Report(
    "bulk-assessment",
    "The bulk assessment, measured",
    ("sustained_rate", "unthrottled", "other_methods", "store", "all_stages", "daily_run"),
)
DASHBOARD = Report("dashboard", "The page, measured", ("dashboard",))
REPORTS = (BULK_ASSESSMENT, DASHBOARD)


def write(report: Report, measured: Iterable[ModuleMeasured], databases: Databases) -> None:
    """Write a document; with that of the bulk assessment, also the tables of docs/scaling.md."""
    modules = list(measured)
    document = {
        "title": report.title,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(sum(module.seconds for module in modules)),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "is_dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "processor": platform.machine(),
            "system": platform.system(),
            "load_before": round(databases.load_before, 2),
            "python": platform.python_version(),
            "postgresql": databases.version(),
        },
        "postgresql_settings": {name: PRODUCTION[name] for name in SETTINGS_THAT_MATTER},
        "measures": {name: asdict(of) for module in modules for name, of in module.measures.items()},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{report.name}.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    (RESULTS / f"{report.name}.md").write_text(_as_markdown(document))
    if report is BULK_ASSESSMENT:
        scaling.DOCUMENT.write_text(scaling.rewritten(scaling.DOCUMENT.read_text(), scaling.read_results()))


def _as_markdown(document: Mapping[str, Any]) -> str:
    machine = document["machine"]
    settings = ", ".join(f"{name} = {value}" for name, value in document["postgresql_settings"].items())
    dirty = ", with changes that are not committed" if document["is_dirty"] else ""
    lines = [
        f"# {document['title']}",
        "",
        "Written by `make bench`. Each figure is of one run; the methods are below.",
        "",
        f"- {document['measured_at']}, commit {document['commit']}{dirty}; {document['seconds'] / 60:.0f} minutes",
        f"- {machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}",
        f"- load before: {machine['load_before']}; PostgreSQL, workers and simulated internet share the machine",
        f"- Python {machine['python']}, PostgreSQL {machine['postgresql']}: {settings}, everything else its default",
        "",
        "| measure | goal | | figures |",
        "|---|---|---|---|",
    ]
    for of in document["measures"].values():
        figures = "<br>".join(f"{name}: **{shown(value)}**" for name, value in of["figures"].items())
        lines.append(f"| {of['title']} | {of['goal']} | {MARKS[of['reached']]} | {figures} |")
    lines += ["", "## Methods", ""]
    lines += [f"- **{of['title']}**: {of['method']}." for of in document["measures"].values()]
    return "\n".join(lines) + "\n"


def shown(value: Value) -> str:
    """Return a figure as people read it."""
    if isinstance(value, tuple | list):
        return " → ".join(shown(part) for part in value)
    return value if isinstance(value, str) else f"{value:,}"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
