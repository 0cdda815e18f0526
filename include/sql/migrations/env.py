"""Runs the migrations on the status database: on a connection handed in, else on Airflow's `status_db`."""

from alembic import context
from sqlalchemy import Connection, text

SCHEMA = "lapsewatch"


def run(connection: Connection) -> None:
    """Migrate in one transaction; two migrations at once wait for each other."""
    connection.execute(text(f"create schema if not exists {SCHEMA}"))
    context.configure(connection=connection, version_table_schema=SCHEMA, transaction_per_migration=False)
    with context.begin_transaction():
        connection.execute(text("select pg_advisory_xact_lock(hashtext('lapsewatch.migrations'))"))
        context.run_migrations()
    connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    from lapsewatch.connections import status_engine

    with status_engine().connect() as own:
        run(own)
