"""Looks at a real database through the eyes of a profile: what is missing, what is open, what would be slow.

Everything is read, in read-only transactions under a statement timeout; no address is read, and nothing that the driver
says is passed on, because it may quote a password or a row.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from lapsewatch.core.errors import Unavailable
from lapsewatch.core.wording import counted
from lapsewatch.user_databases.database import STATEMENT_TIMEOUT
from lapsewatch.user_databases.dialect import Failure, dialect_named
from lapsewatch.user_databases.plans import can_be_explained, explaining, whole_reads
from lapsewatch.user_databases.profile import PROFILES_FOLDER, Profile

CATALOG = PROFILES_FOLDER / "catalog"
READER, UNVERIFIER = "lapsewatch_reader", "lapsewatch_unverifier"
VIEWS_OF_READER = frozenset({"verified_email", "sole_address", "account"})
LEDGER_DUE: Mapping[str, set[tuple[str, str]]] = {
    "postgresql": {
        ("select", "unverification (address_key, checked_at, flags, host, reverified_at)"),
        ("insert", "unverification (address_key, checked_at, flags, host, verified_at)"),
        ("update", "unverification (reverified_at)"),
        ("execute", "read_key"),
        ("execute", "reverify_addresses"),
    },
    "mariadb": {
        ("select", "unverification"),
        ("execute", "read_key"),
        ("execute", "unverify_addresses"),
        ("execute", "reverify_addresses"),
    },
}
"""What the unverifier may do with the ledger, and with the functions that write to it."""
COLUMNS_DUE = {
    ("update", "address (domain_last_checked, domain_last_status, unverify_reason, verified)"),
    ("execute", "read_key"),
}
"""What it may do where the evidence is kept in the system's own columns."""
ONLY_READ = frozenset({"select", "references", "usage", "maintain"})
MANY_ROWS = 10_000
"""Reading so many rows from start to end is worth a word, and too much for looking up a few keys."""

STATEMENTS: Mapping[str, str] = {
    "select_hosts": "",
    "select_addresses": "hosts",
    "select_accounts": "skipped_hosts",
    "select_recipients": "address_keys",
    "select_unverified_addresses": "addresses",
    "select_standings": "addresses",
    "unverify_addresses": "addresses",
    "reverify_addresses": "addresses",
}
"""The statements, and what each takes."""
BY_KEY = frozenset(STATEMENTS) - {"select_hosts", "select_addresses", "select_accounts"}

NO_RIGHT = {"42501", "1044", "1142", "1143", "1227", "1345", "1370"}
"""SQLSTATE insufficient_privilege; MariaDB's numbers for the same, and for a plan that may not be seen."""
NOT_THERE = {"42P01", "42703", "42883", "3F000", "1049", "1054", "1146", "1305", "1356", "1449"}
"""A table, column, function, schema, database or definer that is missing, as PostgreSQL and MariaDB number it."""

ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"text", "character varying", "character", "citext"}),
    frozenset({"smallint", "integer", "bigint"}),
    frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}),
    frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"}),
)
"""Types that do the same work in a view."""


class Weight(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing; Lapsewatch works."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at, in plain words, and what its owner can do about it."""

    weight: Weight
    text: str
    advice: str = ""


class _NoAnswer(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class Verification:
    """A user database to be looked at, as the login of `engine` sees it. Statements end after `timeout` seconds."""

    def __init__(self, engine: Engine, profile: Profile, *, timeout: float) -> None:
        self._engine = engine
        self._profile = profile
        self._dialect = dialect_named(profile.dialect)
        self._timeout = timeout

    def findings(self) -> Iterator[Finding]:
        """Look at one thing after another. Raises Unavailable where the database can't be reached at all."""
        list(self._ask(text("select 1")))
        looks = {
            "tables": self._tables,
            "indexes": self._indexes,
            "row level security": self._hidden_rows,
            "the script": self._script,
            "the roles": self._roles,
            "who has the roles": self._members,
            "what the roles may do": self._privileges,
            "what others may do": self._grantees,
            "plans": self._plans,
            "select_hosts": self._hosts,
        }
        for what, look in looks.items():
            try:
                yield from look()
            except _NoAnswer as no_answer:
                yield self._unanswered(what, no_answer.failure)

    def _tables(self) -> Iterator[Finding]:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self._catalog("select_columns", tables=self._table_names):
            found.setdefault(table, {})[column] = kind
        is_good = True
        for table, columns in self._profile.tables.items():
            if table not in found:
                is_good = False
                yield _problem(
                    f"there is no table {table}, or this login may not see it",
                    f"connect to the database of {self._profile.title}, as the owner of its tables",
                )
                continue
            for column, kind in columns.items():
                there = found[table].get(column)
                if there is None:
                    is_good = False
                    yield _problem(f"{table} has no column {column}", self._other_schema)
                elif not _is_alike(there, kind):
                    is_good = False
                    yield _problem(f"{table}.{column} is {there}, and not {kind}", self._other_schema)
        if is_good:
            count = sum(map(len, self._profile.tables.values()))
            yield _good(
                f"{', '.join(self._profile.tables)}: the {count} columns that are read are there, in their types"
            )

    def _indexes(self) -> Iterator[Finding]:
        found = {name for (name,) in self._catalog("select_indexes", tables=self._table_names)}
        missing = [it for it in self._profile.indexes if it not in found]
        for index in missing:
            yield _problem(
                f"no index begins with {index}", "create one: looking up a key reads the whole table without it"
            )
        if not missing:
            yield _good("what is looked up by key is indexed")

    def _hidden_rows(self) -> Iterator[Finding]:
        for table, role in self._catalog("select_hidden_tables", tables=self._table_names):
            yield _problem(
                f"row level security on {table} hides rows from {role}, without a word: the views show too few",
                f"let the table's owner, or a role with BYPASSRLS, own the views and run the script, or"
                f" 'alter role {role} bypassrls'",
            )

    def _script(self) -> Iterator[Finding]:
        marks = [mark for (mark,) in self._catalog("select_mark")]
        if not marks:
            yield _problem("the schema lapsewatch is not there, or this login may not see it", self._run_the_script)
        elif marks != [self._profile.mark()]:
            yield _problem("the schema lapsewatch was made by another version of the script", self._run_the_script)
        else:
            yield _good("the schema lapsewatch was made by this version of the script")

    def _roles(self) -> Iterator[Finding]:
        roles = dict(self._catalog("select_roles"))
        for role in (READER, UNVERIFIER):
            if role not in roles:
                yield _problem(f"there is no role {role}", "the script makes it, or who may make roles")
        if roles.get(UNVERIFIER) is not None and READER in roles and not roles[UNVERIFIER]:
            yield _problem(f"{UNVERIFIER} lacks the rights of {READER}", f"grant {READER} to {UNVERIFIER}")

    def _members(self) -> Iterator[Finding]:
        members, superusers = self._members_by_role()
        for role, names in members.items():
            if len(names) > 1:
                yield Finding(
                    Weight.NOTE,
                    f"{role} has been given to {' and '.join(sorted(names))}",
                    f"revoke {role} from whom Lapsewatch does not log in as",
                )
        told = [f"{', '.join(sorted(names))} (as {role})" for role, names in members.items() if names]
        if told:
            yield _good(f"who can log in for Lapsewatch: {'; '.join(told)}")
        for name in sorted(superusers):
            yield Finding(
                Weight.NOTE,
                f"{name}, which has been given a role of Lapsewatch's, is a superuser, and may do everything",
                "let Lapsewatch log in as somebody who is none",
            )

    def _members_by_role(self) -> tuple[dict[str, set[str]], set[str]]:
        """Return who has been given each role, the unverifier's not named again as readers; and who is a superuser."""
        members: dict[str, set[str]] = {READER: set(), UNVERIFIER: set()}
        superusers = set()
        for role, name, is_superuser in self._catalog("select_members"):
            members[role].add(name)
            if is_superuser:
                superusers.add(name)
        members[READER] -= members[UNVERIFIER]
        return members, superusers

    def _privileges(self) -> Iterator[Finding]:
        there = {role for role, _ in self._catalog("select_roles")} & {READER, UNVERIFIER}
        members, superusers = self._members_by_role()
        held: dict[str, set[tuple[str, str]]] = defaultdict(set)
        asked = [*there, *members[READER], *members[UNVERIFIER]]
        for role, thing, privilege in self._catalog(
            "select_privileges", tables=self._table_names, roles=json.dumps(asked)
        ):
            held[role].add((privilege, thing))
        is_good = there == {READER, UNVERIFIER}
        for role in sorted(there):
            due = self._privileges_due(role)
            is_good &= held[role] == due
            if missing := due - held[role]:
                yield _problem(f"{role} may not {_listed(missing)}", "run the script again")
            if more := held[role] - due:
                yield _problem(
                    f"{role} may {_listed(more)}, which it is not to",
                    f"revoke it from {role}, and from whom it has it: another role, or everybody (public)",
                )
        if is_good:
            yield _good("both roles may do what they are for, and nothing else with these tables and views")
        for role, names in members.items():
            for name in sorted(names - superusers):
                if more := held[name] - held[role] - self._privileges_due(role):
                    yield _problem(
                        f"{name}, which has been given {role}, may besides {_listed(more)}",
                        f"revoke it from {name}, and from whom it has it: who logs in for Lapsewatch needs {role} only",
                    )

    def _grantees(self) -> Iterator[Finding]:
        reading: dict[str, set[tuple[str, str]]] = defaultdict(set)
        writing: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for thing, name, privilege in self._catalog("select_grantees"):
            kind = reading if privilege in ONLY_READ else writing
            kind[name or "everybody (public)"].add((privilege, thing))
        for name, more in sorted(writing.items()):
            yield _problem(
                f"{name} may {_listed(more)}: what Lapsewatch, its ledger and its views say could come from there",
                f"revoke it from {name}; where {name} owns something there, drop that and run the script again",
            )
        for name, more in sorted(reading.items()):
            yield Finding(
                Weight.NOTE,
                f"{name} may {_listed(more)}",
                f"revoke it from {name}, unless {name} may know of all addresses",
            )
        if not reading and not writing:
            yield _good("nobody else has been granted anything of Lapsewatch's")

    def _plans(self) -> Iterator[Finding]:
        for name, takes in STATEMENTS.items():
            statement = self._profile.statement(name)
            if not can_be_explained(statement) or (name == "select_accounts" and not self._profile.tells_accounts):
                continue
            question = explaining(statement, self._profile.dialect)
            try:
                plan = list(self._ask(question, **({takes: "[]"} if takes else {})))
            except _NoAnswer as no_answer:
                yield self._unanswered(f"the plan of {name}", no_answer.failure)
                continue
            reads = [it for it in whole_reads(plan, self._profile.dialect) if it.row_count >= MANY_ROWS]
            told = " and ".join(f"{it.table} from start to end" for it in reads)
            if reads and name in BY_KEY:
                yield Finding(
                    Weight.NOTE,
                    f"{name} looks up keys, and would read {told}",
                    "see whether the indexes are there, and 'analyze' the tables",
                )
            else:
                yield _good(f"{name} reads {told or 'no large table from start to end'}")

    def _hosts(self) -> Iterator[Finding]:
        began = perf_counter()
        host_count = address_count = 0
        for _, _, _, count in self._ask(self._profile.statement("select_hosts")):
            host_count += 1
            address_count += count
        seconds = perf_counter() - began
        if not address_count:
            yield Finding(Weight.NOTE, "there is no verified address", "see whether it is the right database")
        else:
            counts = f"{counted(host_count, 'row')} for {counted(address_count, 'address', 'addresses')}"
            yield _good(f"select_hosts took {seconds:.1f} seconds: {counts}")

    def _catalog(self, question: str, **values: str) -> Iterator[tuple[Any, ...]]:
        return self._ask(text((CATALOG / self._profile.dialect / f"{question}.sql").read_text()), **values)

    def _ask(self, statement: TextClause, **values: str) -> Iterator[tuple[Any, ...]]:
        errors: tuple[type[Exception], ...] = (DBAPIError, OSError, *self._dialect.errors)
        try:
            with self._engine.connect() as connection:
                self._dialect.begin(connection, timeout=self._timeout, is_reading=True)
                yield from self._dialect.rows(connection, statement, values)
        except errors as error:
            failure = self._dialect.failure(getattr(error, "orig", None) or error)
            if failure.is_unreachable or isinstance(error, OSError):
                raise Unavailable("the database can't be reached, or does not let this login in") from None
            raise _NoAnswer(failure) from None

    @cached_property
    def _table_names(self) -> str:
        return json.dumps(list(self._profile.tables))

    def _privileges_due(self, role: str) -> set[tuple[str, str]]:
        """Return what the role is to be able to do: privileges, each with what it is for."""
        due = {("select", view) for view in VIEWS_OF_READER}
        if role == UNVERIFIER:
            has_ledger = self._profile.evidence == "ledger"
            evidence = "unverified_address" if has_ledger else "address_evidence"
            due |= {("select", view) for view in ("verified_address", "address", evidence)}
            due |= LEDGER_DUE[self._profile.dialect] if has_ledger else COLUMNS_DUE
        return {(privilege, f"lapsewatch.{thing}") for privilege, thing in due}

    @property
    def _other_schema(self) -> str:
        return (
            f"the profile follows {self._profile.follows}: where yours differs, change grants.sql and profile.toml in a"
            " copy of the profile"
        )

    def _unanswered(self, what: str, failure: Failure) -> Finding:
        if failure.is_timeout:
            return _problem(
                f"{what}: it took longer than {self._timeout:g} seconds, and was ended",
                f"--timeout allows more; a run allows {STATEMENT_TIMEOUT:,.0f} seconds, or what 'statement_timeout' in"
                " the extra of its connection says",
            )
        if failure.code in NO_RIGHT and what == "select_hosts":
            return _problem(
                "select_hosts: this login has no right to",
                f"ask as a member of {READER}, or as the owner of the tables; if this is one, the owner of the views"
                " has lost its right to the tables",
            )
        if failure.code in NO_RIGHT:
            return Finding(
                Weight.NOTE, f"{what}: not seen, this login has no right to", "ask again as the owner of the tables"
            )
        if failure.code in NOT_THERE:
            return _problem(f"{what}: something that it needs is not there", self._run_the_script)
        return _problem(f"{what}: the database refused it ({failure.code})", "its own log has the details")

    @property
    def _run_the_script(self) -> str:
        client = {"postgresql": "psql --single-transaction -v ON_ERROR_STOP=1", "mariadb": "mariadb"}
        return (
            f"its owner runs the script: lapsewatch profile show {self._profile.name} --grants > grants.sql, and"
            f" {client[self._profile.dialect]} with that file"
        )


def _good(text: str) -> Finding:
    return Finding(Weight.GOOD, text)


def _problem(text: str, advice: str) -> Finding:
    return Finding(Weight.PROBLEM, text, advice)


def _listed(held: Iterable[tuple[str, str]]) -> str:
    """Say privileges in words: each with all that it is for."""
    by_privilege: dict[str, list[str]] = defaultdict(list)
    for privilege, thing in sorted(held):
        by_privilege[privilege].append(thing)
    return "; ".join(f"{privilege} {', '.join(things)}" for privilege, things in by_privilege.items())


def _is_alike(found: str, declared: str) -> bool:
    """Whether two types do the same work; a type of another schema is named with it."""
    pair = {found.rpartition(".")[2], declared.rpartition(".")[2]}
    return len(pair) == 1 or any(pair <= family for family in ALIKE)
