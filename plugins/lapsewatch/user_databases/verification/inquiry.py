"""Asks a user database about itself, in read-only transactions under a statement timeout.

Nothing that the driver says is passed on, because it may quote a password or a row.
"""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from lapsewatch.core.errors import Unavailable
from lapsewatch.user_databases.dialect import Failure, dialect_named
from lapsewatch.user_databases.profile import PROFILES_FOLDER, Profile

CATALOG = PROFILES_FOLDER / "catalog"


class NoAnswer(Exception):
    """The database refused a question, or did not answer in time."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class Inquiry:
    """A user database to be looked at, as the login of `engine` sees it. Statements end after `timeout` seconds."""

    def __init__(self, engine: Engine, profile: Profile, *, timeout: float) -> None:
        self.profile = profile
        self.timeout = timeout
        self._engine = engine
        self._dialect = dialect_named(profile.dialect)

    @cached_property
    def table_names(self) -> str:
        """The tables that the profile reads, as a list in JSON, as questions take it."""
        return json.dumps(list(self.profile.tables))

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """The columns of the tables that the profile reads, with their types, as far as there. Raises as `ask`."""
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.catalog("select_columns", tables=self.table_names):
            found.setdefault(table, {})[column] = kind
        return found

    @cached_property
    def marks(self) -> list[str]:
        """What the script that made the schema `lapsewatch` has left to know it by; none: it was not run."""
        return [mark for (mark,) in self.catalog("select_mark")]

    @cached_property
    def strangers(self) -> list[str]:
        """Who made what a view may call by this login's rights, which are more. Raises as `ask`."""
        return sorted(name for (name,) in self.catalog("select_strangers"))

    def catalog(self, question: str, **values: str) -> Iterator[tuple[Any, ...]]:
        """Ask one of the questions in `catalog/`. Raises as `ask`."""
        return self.ask(text((CATALOG / self.profile.dialect / f"{question}.sql").read_text()), **values)

    def ask(self, statement: TextClause, **values: str) -> Iterator[tuple[Any, ...]]:
        """Stream what a statement returns. Raises NoAnswer, and Unavailable where the database can't be reached."""
        errors: tuple[type[Exception], ...] = (DBAPIError, OSError, *self._dialect.errors)
        try:
            with self._engine.connect() as connection:
                self._dialect.begin(connection, timeout=self.timeout, is_reading=True)
                yield from self._dialect.rows(connection, statement, values)
        except errors as error:
            failure = self._dialect.failure(getattr(error, "orig", None) or error)
            if failure.is_unreachable or isinstance(error, OSError):
                raise Unavailable("the database can't be reached, or does not let this login in") from None
            raise NoAnswer(failure) from None
