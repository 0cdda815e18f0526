"""`lapsewatch check`: asks about a few domains now, and shows what everybody said."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from typing import TextIO

from rich.console import Console
from rich.text import Text

from lapsewatch.commands.exit_codes import BAD_INPUT, OK
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
from lapsewatch.commands.sources import Sources, open_sources
from lapsewatch.core import wording
from lapsewatch.core.domains import SetAside
from lapsewatch.core.names import IN_WORDS, read_name
from lapsewatch.core.policy import Policy, Verdict

COLOURS = {Verdict.KEEP: "green", Verdict.WATCH: "yellow", Verdict.UNVERIFY: "bold red"}


def run(arguments: argparse.Namespace) -> int:
    """Ask about every domain; those that are none are told on standard error, and the rest is asked all the same."""
    hosts_of, troubles = _read(arguments.names)
    for trouble in troubles:
        sys.stderr.write(f"lapsewatch: {trouble}\n")
    if hosts_of:
        out = sys.stdout
        # Airflow talks on standard output, which belongs to the findings.
        with redirect_stdout(sys.stderr), open_sources(arguments.client) as sources:
            _check(sources, hosts_of, Policy(arguments.policy), out, as_json=arguments.json)
    return BAD_INPUT if troubles else OK


def _check(sources: Sources, hosts_of: dict[str, list[str]], policy: Policy, out: TextIO, *, as_json: bool) -> None:
    api = sources.status_api
    heard = {said.domain: said for said in ask_status_api(api, hosts_of)} if api else {}
    said_first = [heard.get(domain, nothing_said(domain)) for domain in hosts_of]
    console = Console(file=out, highlight=False, soft_wrap=True)
    for said in each(partial(_ask_all, sources, hosts_of), said_first, in_order=True):
        finding = decided(said, policy)
        if as_json:
            out.write(json.dumps(finding.as_json()) + "\n")
            out.flush()
        else:
            _show(console, finding, hosts_of[finding.domain], has_api=api is not None)


def _ask_all(sources: Sources, hosts_of: dict[str, list[str]], said: Said) -> Said:
    """A person wants to see everybody's word, whether or not it could change the decision."""
    return ask_dns(sources.witnesses, ask_registry(sources.witnesses, said), hosts_of[said.domain])


def _show(console: Console, finding: Finding, hosts: Sequence[str], *, has_api: bool) -> None:
    said, decision = finding.said, finding.decision
    others = [host for host in hosts if host != finding.domain]
    title = Text(finding.domain, style="bold")
    if others:
        title.append(f"  for mail to {', '.join(others)}", style="not bold dim")
    console.print(title)
    verdict = Text("  verdict   ").append(decision.verdict.value, style=COLOURS[decision.verdict])
    console.print(verdict.append(f": {decision.reason}"))
    console.print(Text(f"  phase     {decision.phase.value}"))
    if has_api:
        console.print(Text(f"  flags     {wording.flags_said(said.case.flags, said.silence)}"))
    console.print(Text(f"  registry  {wording.registry_said(said.case.rdap)}"))
    console.print(Text(f"  DNS       {wording.dns_said(said.case.dns)}"))


def _read(names: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the hosts by registrable domain, and a line for each name that has none."""
    hosts_of: dict[str, list[str]] = {}
    troubles = []
    for place, name in enumerate(names, start=1):
        named = read_name(name)
        if isinstance(named, SetAside):
            troubles.append(f"argument {place} names no registrable domain: {IN_WORDS[named]}")
        else:
            hosts = hosts_of.setdefault(named.domain, [])
            if named.host not in hosts:
                hosts.append(named.host)
    return hosts_of, troubles
