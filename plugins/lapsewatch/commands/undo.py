"""`lapsewatch undo`: verifies again what was unverified by mistake; says first what it would do."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import groupby
from operator import attrgetter

from lapsewatch.commands.authorship import read_author, read_why
from lapsewatch.commands.exit_codes import OK, BadInput
from lapsewatch.commands.names import read_address_key, read_domain
from lapsewatch.commands.sources import open_databases
from lapsewatch.core.lifecycle import Phase
from lapsewatch.core.wording import PHASES, counted, day
from lapsewatch.stages.undo_unverifications import Selection, Undone, undo_unverifications
from lapsewatch.user_databases.database import Standing

STANDINGS = {
    Standing.UNVERIFIED: "just changed by somebody",
    Standing.VERIFIED: "verified again since",
    Standing.MOVED: "on another host by now",
    Standing.JUDGED_ANEW: "unverified anew since, on other evidence",
    Standing.GONE: "deleted since, or unverified by the service for another reason",
}
"""Why an undo leaves an address alone."""


def run(arguments: argparse.Namespace) -> int:
    """Undo what the arguments select, or, without `--apply`, say what that would be."""
    if (arguments.run is None and arguments.domain is None) == (arguments.address is None):
        raise BadInput("say what is undone: --run, --domain, or both, or else --address")
    selection = Selection(
        run_id=arguments.run,
        domain=None if arguments.domain is None else read_domain(arguments.domain),
        address_key=None if arguments.address is None else read_address_key(arguments.address),
    )
    why, by = read_why(arguments.why), read_author(arguments.by)
    dry_run = not arguments.apply
    out = sys.stdout
    # Airflow talks on standard output, which belongs to the report.
    with redirect_stdout(sys.stderr), open_databases() as (status, users):
        undone = undo_unverifications(selection, why, by, users, status, dry_run=dry_run)
    out.writelines(f"{line}\n" for line in _told(undone, selection, dry_run))
    return OK


def _told(undone: Undone, selection: Selection, dry_run: bool) -> Iterator[str]:
    if dry_run:
        yield "Dry run: nothing is changed. The same with --apply does it."
    would = "would be " if dry_run else ""
    done = f"{would}verified again"
    takings_of = groupby(sorted(undone.takings), key=attrgetter("domain"))
    takings = {domain: list(found) for domain, found in takings_of}
    for domain in sorted(takings.keys() | undone.given_up.keys()):
        kept = sorted(undone.left_alone[domain].items())
        why = "".join(f", {count:,} left alone ({STANDINGS[found]})" for found, count in kept)
        given_up = f", {undone.given_up[domain]:,} {would}given up before its turn" if undone.given_up[domain] else ""
        yield f"{domain}: {undone.given_back[domain]:,} {done}{given_up}{why}"
        for taking in takings.get(domain, ()):
            lapse = f"the lapse of {day(taking.lapsed_at)}: {PHASES[Phase(taking.phase)]}"
            yield f"  {undone.takings[taking]:,} taken for {lapse}. Run {taking.run_id}."
    left_alone = sum(kept.total() for kept in undone.left_alone.values())
    given_back = undone.given_back.total()
    before = f" {undone.given_back_before:,} had been before." if undone.given_back_before else ""
    yield f"In all: {counted(given_back, 'address', 'addresses')} {done}, {left_alone:,} left alone.{before}"
    if selection.address_key is None:
        pardoned = f"{counted(undone.pardoned_lapse_count, 'lapse')} {would}pardoned"
        yield f"{pardoned}: nobody is unverified for a pardoned lapse any more."
