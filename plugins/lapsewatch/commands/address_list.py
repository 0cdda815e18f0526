"""Reading a list of addresses or domains, text or CSV, of any length: what is kept are hosts and counts."""

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TextIO

from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.domains import SetAside
from lapsewatch.core.names import read_name

COLUMNS = ("email", "e-mail", "mail", "address", "domain", "host")
DELIMITERS = ",;\t"
LINES_KEPT = 100
"""How many line numbers of malformed names are kept of each kind; all are counted."""

Entry = tuple[int, str]
"""A line number and the name on it."""


@dataclass
class Census:
    """What a list holds: how many addresses (or names) stand behind each registrable domain, and on which hosts."""

    hosts_of: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    provider_count: int = 0
    set_aside: Counter[SetAside] = field(default_factory=Counter)
    set_aside_lines: dict[SetAside, list[int]] = field(default_factory=lambda: defaultdict(list))

    def count(self, line: int, name: str) -> None:
        """Count one name; nothing of it is kept but the host."""
        named = read_name(name)
        if isinstance(named, SetAside):
            self.set_aside[named] += 1
            if len(self.set_aside_lines[named]) < LINES_KEPT:
                self.set_aside_lines[named].append(line)
        elif named.is_provider:
            self.provider_count += 1
        else:
            self.hosts_of[named.domain][named.host] += 1

    def address_count(self, domain: str) -> int:
        """Return how many names stand behind a domain."""
        return self.hosts_of[domain].total()

    @property
    def name_count(self) -> int:
        """How many names the list holds, whatever became of them."""
        checked = sum(hosts.total() for hosts in self.hosts_of.values())
        return checked + self.provider_count + self.set_aside.total()


@contextmanager
def open_list(name: str) -> Iterator[TextIO]:
    """Open the list, or standard input for `-`. Raises BadInput where it can't be opened."""
    try:
        stream = _open(sys.stdin.fileno() if name == "-" else name)
    except OSError as error:
        raise BadInput(f"the list can't be read: {error.strerror}") from None
    with stream:
        yield stream


def _open(file: str | int) -> TextIO:
    # A letter that is not UTF-8 spoils its own name only, and none that stands before an @.
    return open(file, encoding="utf-8-sig", errors="replace", newline="", closefd=not isinstance(file, int))


def entries(lines: Iterable[str], column: str | None) -> Iterator[Entry]:
    """Yield the names in the list with their line numbers; blank ones are passed over.

    It is CSV where a column is asked for, or where the first line has several, or is the name of one. Raises BadInput
    where it is CSV and the column is not there.
    """
    rest = iter(lines)
    first_number, first = next(((number, line) for number, line in enumerate(rest, start=1) if line.strip()), (0, ""))
    if "\0" in first:
        raise BadInput("the list is not UTF-8 text: save it as UTF-8 first")
    delimiter, header = _header(first, column)
    if column is not None or len(header) > 1 or header[0] in COLUMNS:
        return _cells(rest, first_number, delimiter, _place(header, column))
    return _lines(chain([first], rest), first_number)


def _lines(lines: Iterable[str], first_number: int) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=first_number):
        if name := line.strip():
            yield number, name


def _cells(lines: Iterable[str], lines_before: int, delimiter: str, place: int) -> Iterator[Entry]:
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            # A cell longer than the csv module reads: no address is.
            row = [""] * place + ["@"]
        if len(row) > place and (name := row[place].strip()):
            yield lines_before + rows.line_num, name


def _header(line: str, column: str | None) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns: with the delimiter that finds the column, or else most."""
    wanted = {column.strip().lower()} if column is not None else set(COLUMNS)
    split = {delimiter: [cell.strip().lower() for cell in _row(line, delimiter)] for delimiter in DELIMITERS}
    best = max(split, key=lambda delimiter: (bool(wanted.intersection(split[delimiter])), len(split[delimiter])))
    return best, split[best]


def _row(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [""]) or [""]
    except csv.Error:
        return [""]


def _place(header: list[str], column: str | None) -> int:
    wanted = [column.strip().lower()] if column is not None else [name for name in COLUMNS if name in header]
    if wanted and wanted[0] in header:
        return header.index(wanted[0])
    if column is not None:
        raise BadInput("the first line names no such column as --column says")
    raise BadInput(
        f"the list has several columns, and its first line calls none of them {', '.join(COLUMNS)}: name it"
        " with --column"
    )
