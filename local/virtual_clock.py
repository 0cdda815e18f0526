"""A clock for PostgreSQL that stands where it is told to, so that weeks of runs fit in a minute."""

from datetime import datetime

import psycopg
from psycopg import sql

CREATE = """
    create schema virtual;
    create table virtual.clock (ahead interval not null);
    insert into virtual.clock values ('0');
    create function virtual.clock_timestamp() returns timestamptz language sql volatile
        return pg_catalog.clock_timestamp() + (select ahead from virtual.clock);
    create function virtual.now() returns timestamptz language sql stable
        return pg_catalog.now() + (select ahead from virtual.clock);
"""
SEARCHED = sql.SQL("alter database {} set search_path = virtual, pg_catalog, public")
DROP = "drop schema virtual cascade"
FORGOTTEN = sql.SQL("alter database {} reset search_path")


def install(database_url: str) -> None:
    """Give a database a clock of its own: for whoever names PostgreSQL's without its schema, and connects from now on.

    It goes on from where it is set, at the pace of the real one.
    """
    with psycopg.connect(database_url) as connection:
        connection.execute(CREATE)
        connection.execute(SEARCHED.format(sql.Identifier(connection.info.dbname)))


def set_to(instant: datetime, database_url: str) -> None:
    """Set the clock."""
    with psycopg.connect(database_url) as connection:
        connection.execute("update virtual.clock set ahead = %s - pg_catalog.clock_timestamp()", [instant])


def remove(database_url: str) -> None:
    """Give the database back the real clock."""
    with psycopg.connect(database_url) as connection:
        connection.execute(DROP)
        connection.execute(FORGOTTEN.format(sql.Identifier(connection.info.dbname)))
