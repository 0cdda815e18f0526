"""How the page reads the status database: one connection a request, and one snapshot, so that its parts agree."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Connection

from lapsewatch import connections
from lapsewatch.status_database.statements import statement


def reading() -> Iterator[Connection]:
    """Open the status database for a request: read only, one snapshot, for half a minute. Raises LapsewatchError.

    No engine is kept: few people look, whoever changes the connection or migrates need restart nothing, and an idle API
    server holds no session in each of its processes.
    """
    with connections.status_database() as status, status.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        connection.execute(statement("limit_reading"))
        yield connection


Reading = Annotated[Connection, Depends(reading)]
