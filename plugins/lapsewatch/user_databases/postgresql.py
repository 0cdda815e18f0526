"""User databases on PostgreSQL, through psycopg."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from sqlalchemy import Connection, TextClause, text

from lapsewatch.user_databases.dialect import Failure

ROWS_PER_FETCH = 10_000 if psycopg.capabilities.has_stream_chunked() else 1
"""One by one where psycopg runs on a libpq before 17."""

LOST = ("08", "57P")
"""Classes of SQLSTATE that end a connection: it failed, or the server shuts down (PostgreSQL manual, appendix A)."""


class PostgreSQL:
    """See `Dialect`."""

    driver = "postgresql+psycopg"
    errors: tuple[type[Exception], ...] = (psycopg.Error, UnicodeError)
    """The last: of a host that can be none."""
    connect_args: Mapping[str, object] = {"connect_timeout": 10, "application_name": "lapsewatch"}
    url_options = frozenset(
        {"channel_binding", "gssencmode", "options", "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert",
         "target_session_attrs"}
    )  # fmt: skip

    def begin(self, connection: Connection, *, timeout: float | None, is_reading: bool) -> None:
        """See `Dialect`. All is for this transaction: poolers give the session to somebody else afterwards.

        What is read, also from the catalog by the owner's rights, is no function or operator that others may have made.
        What is written may fire triggers of the service's, which expect the login's own search path.
        """
        connection.execution_options(postgresql_readonly=is_reading)
        if is_reading:
            connection.execute(text("set local search_path = pg_catalog, pg_temp"))
        if timeout is not None:
            limit = text("select set_config('statement_timeout', :milliseconds, true)")
            connection.execute(limit, {"milliseconds": str(round(timeout * 1000))})

    def rows(
        self, connection: Connection, statement: TextClause, values: Mapping[str, str]
    ) -> Iterator[tuple[Any, ...]]:
        """See `Dialect`. Not through a cursor: PostgreSQL plans that for its first rows, and never in parallel."""
        query = statement.compile(dialect=connection.dialect)
        with _driver(connection).cursor() as cursor:
            yield from cursor.stream(query.string, query.construct_params(values), size=ROWS_PER_FETCH)

    def failure(self, error: Exception) -> Failure:
        """See `Dialect`."""
        code = getattr(error, "sqlstate", None)
        return Failure(
            code,
            is_unreachable=isinstance(error, UnicodeError)
            or (isinstance(error, psycopg.OperationalError) and (code is None or code.startswith(LOST))),
            is_timeout=isinstance(error, psycopg.errors.QueryCanceled),
        )


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("the user database is not reached with psycopg")
    return driver
