"""What a scan found: a table for a screen, CSV and JSON lines for programs. No address is in any of them."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lapsewatch.commands.address_list import Census
from lapsewatch.commands.check import COLOURS
from lapsewatch.commands.inquiry import Finding
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.core.names import IN_WORDS
from lapsewatch.core.policy import Verdict
from lapsewatch.core.wording import counted

MOST_ROWS = 30
LINES_SHOWN = 5
PLAIN_WIDTH = 160
"""Columns of a table that goes to no terminal."""

WORST_FIRST = (Verdict.UNVERIFY, Verdict.WATCH, Verdict.KEEP)
CSV_COLUMNS = (
    "domain", "addresses", "phase", "verdict", "reason", "witnesses", "flags", "rdap", "registered_at", "expires_at",
    "dns",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What the list holds, and what was found out about its domains; some may not have been asked about."""

    census: Census
    findings: Mapping[str, Finding]

    def worst_first(self, verdicts: Iterable[Verdict] = WORST_FIRST) -> list[Finding]:
        """Return the findings of these verdicts, the worst first, those with the most addresses before others."""
        order = {verdict: place for place, verdict in enumerate(WORST_FIRST)}
        chosen = [finding for finding in self.findings.values() if finding.decision.verdict in set(verdicts)]
        return sorted(
            chosen,
            key=lambda found: (order[found.decision.verdict], -self.census.address_count(found.domain), found.domain),
        )


def write_csv(result: Result, stream: TextIO) -> None:
    """Write a row a domain."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for finding in result.worst_first():
        found = finding.as_json()
        evidence = found["evidence"]
        rdap, dns = evidence.get("rdap", {}), evidence.get("dns", {})
        writer.writerow(
            [
                finding.domain,
                result.census.address_count(finding.domain),
                found["phase"],
                found["verdict"],
                found["reason"],
                " ".join(found["witnesses"]),
                " ".join(evidence.get("flags", [])),
                ", ".join(rdap.get("status", [])) or rdap.get("outcome", ""),
                rdap.get("registered_at", ""),
                rdap.get("expires_at", ""),
                dns.get("outcome", ""),
            ]
        )
    stream.flush()


def write_json(result: Result, stream: TextIO) -> None:
    """Write an object a domain and line, as `lapsewatch check --json` does, with the number of addresses."""
    for finding in result.worst_first():
        found = finding.as_json()
        with_count = {"domain": found.pop("domain"), "addresses": result.census.address_count(finding.domain)} | found
        stream.write(json.dumps(with_count) + "\n")
    stream.flush()


def show(result: Result, stream: TextIO) -> None:
    """Show the doubtful domains, the worst first, and the counts of the rest."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=PLAIN_WIDTH)
    doubtful = result.worst_first((Verdict.UNVERIFY, Verdict.WATCH))
    if doubtful:
        console.print(_table(result, doubtful[:MOST_ROWS]))
        if len(doubtful) > MOST_ROWS:
            console.print(
                f"... and {counted(len(doubtful) - MOST_ROWS, 'more domain')}: --csv or --json writes all of them."
            )
    console.print(_summary(result))
    _tell_what_was_set_aside(result.census, console)


def _table(result: Result, findings: Iterable[Finding]) -> Table:
    table = Table()
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Domain", overflow="fold", min_width=12)
    table.add_column("Addresses", justify="right")
    table.add_column("Phase", no_wrap=True)
    table.add_column("Reason", ratio=1)
    for finding in findings:
        decision = finding.decision
        table.add_row(
            Text(decision.verdict.value, style=COLOURS[decision.verdict]),
            finding.domain,
            f"{result.census.address_count(finding.domain):,}",
            decision.phase.value,
            decision.reason,
        )
    return table


def _summary(result: Result) -> Table:
    census, findings = result.census, result.findings
    table = Table(show_header=False)
    table.add_column()
    table.add_column("Domains", justify="right")
    table.add_column("Addresses", justify="right")
    table.show_header = True

    def add(what: str, domains: Iterable[str] | None, addresses: int | None = None) -> None:
        named = list(domains) if domains is not None else None
        count = addresses if named is None else sum(census.address_count(domain) for domain in named)
        table.add_row(what, "" if named is None else f"{len(named):,}", f"{count or 0:,}")

    add("In the list", None, census.name_count)
    add("  on well-known providers, not asked about", None, census.provider_count)
    add("  malformed or without a domain, set aside", None, census.set_aside.total())
    add("  on other domains", census.hosts_of)
    for verdict in WORST_FIRST:
        add(f"    {verdict.value}", [found.domain for found in result.worst_first([verdict])])
    if missing := [domain for domain in census.hosts_of if domain not in findings]:
        add("    not asked about yet", missing)
    if silent := [found.domain for found in findings.values() if not found.has_evidence]:
        add("Neither a status API nor a registry spoke", silent)
    if left := [found.domain for found in findings.values() if _is_left_out(found)]:
        add("Registry not asked: --max-rdap-calls was spent", left)
    return table


def _is_left_out(found: Finding) -> bool:
    rdap = found.said.case.rdap
    return rdap is not None and rdap.reason is NoEvidenceReason.BUDGET_SPENT


def _tell_what_was_set_aside(census: Census, console: Console) -> None:
    for kind, count in census.set_aside.most_common():
        lines = census.set_aside_lines[kind]
        shown = ", ".join(str(line) for line in lines[:LINES_SHOWN]) + (" ..." if count > LINES_SHOWN else "")
        where = "line" if count == 1 else "lines"
        console.print(f"Set aside, {counted(count, 'name')}: {IN_WORDS[kind]} ({where} {shown})", soft_wrap=True)
