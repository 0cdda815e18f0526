"""`lapsewatch scan`: asks about every domain behind a list of addresses, each once, and reports the worst first."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TextIO

from lapsewatch.clients.turns import by_turns
from lapsewatch.clients.witnesses import BudgetedRegistry
from lapsewatch.commands.address_list import Census, entries, open_list
from lapsewatch.commands.exit_codes import INTERRUPTED, OK, TROUBLE, BadInput
from lapsewatch.commands.inquiry import (
    Finding,
    Said,
    ask_dns,
    ask_registry,
    ask_status_api,
    decided,
    each,
    nothing_said,
)
from lapsewatch.commands.progress import followed
from lapsewatch.commands.scan_report import Result, show, write_csv, write_json
from lapsewatch.commands.sources import Sources, open_sources
from lapsewatch.core.errors import LapsewatchError, SetupError
from lapsewatch.core.lifecycle import Phase
from lapsewatch.core.policy import Policy
from lapsewatch.core.questions import Need, need_of, wants_dns, wants_registry


@dataclass
class Scan:
    """A scan under way: what the list holds, and what is known so far."""

    policy: Policy
    max_rdap_calls: int
    census: Census = field(default_factory=Census)
    findings: dict[str, Finding] = field(default_factory=dict)

    def keep(self, said: Said) -> None:
        """Decide on what was said, and keep it."""
        self.findings[said.domain] = decided(said, self.policy)


def run(arguments: argparse.Namespace) -> int:
    """Scan the list; whatever stops it half-way, what is known so far is reported."""
    scan = Scan(Policy(arguments.policy), arguments.max_rdap_calls)
    code = OK
    with ExitStack() as stack:
        reports = _open_reports(arguments, stack)
        # Airflow talks on standard output, which belongs to the reports.
        stack.enter_context(redirect_stdout(sys.stderr))
        try:
            _read(scan, arguments)
            if scan.census.hosts_of:
                _ask(scan, arguments.client)
        except KeyboardInterrupt:
            sys.stderr.write("\nInterrupted: this is what is known so far.\n")
            code = INTERRUPTED
        except BadInput:
            raise
        except LapsewatchError as error:
            if not scan.findings:
                raise
            sys.stderr.write(f"lapsewatch: {error}\nThis is what is known so far.\n")
            code = TROUBLE
        result = Result(scan.census, scan.findings)
        for report in reports:
            report(result)
    return code


def _open_reports(arguments: argparse.Namespace, stack: ExitStack) -> list[Callable[[Result], None]]:
    """Open what is written to, before an hour is spent on what could not be written. Raises BadInput."""
    if arguments.csv == "-" and arguments.json == "-":
        raise BadInput("--csv and --json can't both go to standard output")
    reports: list[Callable[[Result], None]] = []
    for name, write in ((arguments.csv, write_csv), (arguments.json, write_json)):
        if name is not None:
            stream = _open_for_writing(name, arguments.file, stack)
            reports.append(partial(write, stream=stream))
    screen = sys.stderr if "-" in {arguments.csv, arguments.json} else sys.stdout
    reports.append(lambda result: show(result, screen))
    return reports


def _open_for_writing(name: str, source: str, stack: ExitStack) -> TextIO:
    if name == "-":
        return sys.stdout
    path = Path(name)
    try:
        if source != "-" and path.exists() and path.samefile(source):
            raise BadInput("a report can't be written over the list itself")
        return stack.enter_context(path.open("w", encoding="utf-8", newline=""))
    except OSError as error:
        raise BadInput(f"a report can't be written: {error.strerror}") from None


def _read(scan: Scan, arguments: argparse.Namespace) -> None:
    with open_list(arguments.file) as lines:
        for line, name in followed(entries(lines, arguments.column), "Read the list"):
            scan.census.count(line, name)
    if not scan.census.name_count:
        raise BadInput("the list holds no address and no domain")


def _ask(scan: Scan, client: str) -> None:
    domains = list(by_turns(sorted(scan.census.hosts_of), str))
    with open_sources(client) as sources:
        if sources.status_api is None and not wants_registry(scan.policy):
            raise SetupError(
                f"the policy '{scan.policy.value}' listens to a status API, and there is no key for one: set the"
                f" connection {client}_api, or use the policy '{Policy.CORROBORATED.value}'"
            )
        if sources.status_api:
            answers = ask_status_api(sources.status_api, domains)
            for said in followed(answers, "Status API", len(domains)):
                scan.keep(said)
        for said in _corroborated(scan, sources, domains):
            scan.keep(said)


def _corroborated(scan: Scan, sources: Sources, domains: list[str]) -> Iterator[Said]:
    """Ask the registries and DNS where the daily run would, within the budget of questions to registries."""
    known = {
        domain: scan.findings[domain].said if domain in scan.findings else nothing_said(domain) for domain in domains
    }
    needs = {domain: need_of(said.case, scan.policy) for domain, said in known.items()}
    wanted = [domain for need in (Need.DOUBT, Need.DATE) for domain in domains if needs[domain] is need]
    asking = replace(sources.witnesses, registry=BudgetedRegistry(sources.witnesses.registry, scan.max_rdap_calls))

    def ask(domain: str) -> Said:
        said = known[domain]
        if wants_registry(scan.policy):
            said = ask_registry(asking, said)
        finding = decided(said, scan.policy)
        # Where nobody else said anything, DNS is better than nothing for a person to look at.
        if wants_dns(said.case, scan.policy) or finding.decision.phase is Phase.UNKNOWN:
            hosts = [host for host, _ in scan.census.hosts_of[domain].most_common()]
            said = ask_dns(sources.witnesses, said, hosts)
        return said

    return followed(each(ask, wanted), "Registries and DNS", len(wanted))
