"""What the owner of a user database does for Lapsewatch, as docs/privileges.md tells it: views, and two login roles."""

from collections.abc import Iterable

import psycopg
from lapsewatch.user_databases.profile import load_profile
from psycopg import sql

READER = "lapsewatch_reads"
UNVERIFIER = "lapsewatch_unverifies"
GROUPS = {READER: "lapsewatch_reader", UNVERIFIER: "lapsewatch_unverifier"}
"""The login roles, and the group role that each is a member of."""


def grant(database_url: str, password: str, script: str | None = None) -> None:
    """Run a profile's script (PyPI's unless given), which creates views and both group roles; create the login roles.

    `database_url` is the owner's; the login roles get this password.
    """
    with psycopg.connect(database_url) as connection:
        connection.execute((script or load_profile("pypi").grants()).encode())
        for login, group in GROUPS.items():
            if connection.execute("select from pg_roles where rolname = %s", [login]).fetchone() is None:
                statement = sql.SQL("create role {} login password {} in role {}")
                connection.execute(
                    statement.format(sql.Identifier(login), sql.Literal(password), sql.Identifier(group))
                )


def list_popular(database_url: str, projects: Iterable[str]) -> None:
    """Say which projects count as popular, by their normalized names. `database_url` is the owner's."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("truncate lapsewatch.popular_project")
        with cursor.copy("copy lapsewatch.popular_project from stdin") as copy:
            for name in projects:
                copy.write_row([name])
