"""The tables of docs/scaling.md, computed from what was measured: `make bench` writes them, a test compares them."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.checkout import ROOT

DOCUMENT = ROOT / "docs" / "scaling.md"
RESULTS = Path(__file__).parent / "results" / "bulk-assessment.json"

ADDRESSES_PER_ACCOUNT = 1.1
DOMAINS_PER_ACCOUNT = 0.1
"""Assumed: verified addresses, and custom domains in use, as in the user base that is measured."""

CALLS_A_YEAR = 12
"""To the status API, a domain: the Param calls_per_domain_year, of which somewhat less is spent."""

QUESTIONS_A_YEAR = 27
"""To registries, a domain: about what the simulated year of docs/protection.md took."""

DOLLARS_PER_CALL = 0.001
"""Fastly's list price of a precise answer."""

LARGEST_REGISTRY = 0.5
"""Assumed: the share of the domains that one registry's server answers for, once a second."""

DAYS_A_YEAR = 365
DAYS_A_MONTH = 30.4
MONTHS_KEPT = 13
"""The setting keep_checks_months."""

_BLOCK = re.compile(r"(<!-- computed: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A user base by its accounts, and what it needs."""

    name: str
    accounts: int

    @property
    def domains(self) -> float:
        """Custom domains."""
        return self.accounts * DOMAINS_PER_ACCOUNT

    @property
    def calls_a_day(self) -> float:
        """Calls to the status API."""
        return self.domains * CALLS_A_YEAR / DAYS_A_YEAR

    @property
    def questions_a_day(self) -> float:
        """Questions to registries' RDAP servers."""
        return self.domains * QUESTIONS_A_YEAR / DAYS_A_YEAR

    @property
    def checks_a_day(self) -> float:
        """Rows of `domain_check`, at most: a call and a question may be the same check's."""
        return self.calls_a_day + self.questions_a_day


DEPLOYMENTS = (
    Deployment("PyPI today", 1_000_000),
    Deployment("ten times that", 10_000_000),
    Deployment("a hundred times that", 100_000_000),
)


def rewritten(document: str, results: Mapping[str, Any]) -> str:
    """Return the document with its tables computed anew."""
    tables = {"measured": _measured, "deployments": _deployments}
    return _BLOCK.sub(lambda block: f"{block[1]}{tables[block[2]](results)}{block[3]}", document)


def read_results() -> dict[str, Any]:
    """Return what was last measured."""
    results: dict[str, Any] = json.loads(RESULTS.read_text())
    return results


def _figures(results: Mapping[str, Any], measure: str) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = results["measures"][measure]["figures"]
    return figures


def _measured(results: Mapping[str, Any]) -> str:
    machine, time = results["machine"], _figures(results, "time")
    memory = {name: figure[1] for name, figure in _figures(results, "memory").items()}
    largest = max(memory, key=lambda name: memory[name])
    rows = {
        "machine": f"{machine['cores']} cores, {machine['memory_gib']} GiB, for workers, PostgreSQL and the simulator",
        "one worker process, nobody holding it back": f"{_figures(results, 'unthrottled')['domains/s']:,} domains/s",
        "sustained share of an allowed rate": f"{_figures(results, 'sustained_rate')['share']:.3f}",
        "extraction of 10 million addresses": f"{_figures(results, 'extract')['each later one, s']:.0f} s",
        "all stages for a million domains, without HTTP": f"{time['all stages, s'][1] / 60:.1f} minutes",
        "the same over that for 100,000": f"{time['ratio']:.1f}",
        "largest task": f"{largest.partition(',')[0]}, {memory[largest]:,} MiB",
        "a check on the disk": f"{_figures(results, 'disk')['bytes a check']:,} bytes",
    }
    return _table(["measured", ""], [[name, value] for name, value in rows.items()])


def _deployments(results: Mapping[str, Any]) -> str:
    time, disk = _figures(results, "time"), _figures(results, "disk")
    unthrottled: float = _figures(results, "unthrottled")["domains/s"]
    extraction: float = _figures(results, "extract")["each later one, s"]
    extracted: int = _figures(results, "extract")["addresses"]
    # Of a million domains, in seconds: what grows with the domains asked about, and not with the user base.
    asked = sum(seconds for name, (_, seconds) in _stages(time) if not name.startswith("extract")) / 1_000_000

    def assessment(rate: float) -> Callable[[Deployment], str]:
        return lambda of: _in_words(of.domains / rate)

    def extraction_of(of: Deployment) -> float:
        return extraction * of.accounts * ADDRESSES_PER_ACCOUNT / extracted

    def kept(of: Deployment) -> str:
        size = of.checks_a_day * DAYS_A_MONTH * MONTHS_KEPT * disk["bytes a check"]
        return f"{(size + of.domains * disk['bytes a domain in domain_status']) / 2**30:,.1f} GiB"

    rows: dict[str, Callable[[Deployment], str]] = {
        "accounts": lambda of: f"{of.accounts:,}",
        "verified addresses": lambda of: f"{of.accounts * ADDRESSES_PER_ACCOUNT:,.0f}",
        "custom domains": lambda of: f"{of.domains:,.0f}",
        "calls a day": lambda of: f"{of.calls_a_day:,.0f}",
        "calls a month": lambda of: f"{of.calls_a_day * DAYS_A_MONTH:,.0f}",
        "list price a month": lambda of: f"${of.calls_a_day * DAYS_A_MONTH * DOLLARS_PER_CALL:,.0f}",
        "list price of a bulk assessment": lambda of: f"${of.domains * DOLLARS_PER_CALL:,.0f}",
        "bulk assessment at 20 calls/s": assessment(20),
        "at 200 calls/s": assessment(200),
        f"at {unthrottled:,}/s, one process": assessment(unthrottled),
        "the machine's own work in it": lambda of: _in_words(of.domains * asked),
        "extraction, each day": lambda of: _in_words(extraction_of(of)),
        "asking, each day, at 20 calls/s": lambda of: _in_words(of.calls_a_day / 20),
        "the machine's own work, each day": lambda of: _in_words(extraction_of(of) + of.checks_a_day * asked),
        f"status database after {MONTHS_KEPT} months": kept,
        "questions to registries, each day": lambda of: f"{of.questions_a_day:,.0f}",
        "asking the largest of them, each day, at one a second": lambda of: _in_words(
            of.questions_a_day * LARGEST_REGISTRY
        ),
    }
    header = ["", *(of.name for of in DEPLOYMENTS)]
    return _table(header, [[name, *(figure(of) for of in DEPLOYMENTS)] for name, figure in rows.items()])


def _stages(time: Mapping[str, Any]) -> list[tuple[str, tuple[float, float]]]:
    return [(name, figure) for name, figure in time.items() if name not in {"ratio", "all stages, s"}]


def _in_words(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
