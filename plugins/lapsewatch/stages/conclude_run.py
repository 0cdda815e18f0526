"""Gives the run its end: a run in which any stage did not finish has failed."""

from sqlalchemy import Engine

from lapsewatch.core.errors import RunStopped
from lapsewatch.stages.run import Run
from lapsewatch.status_database.statements import statement


def conclude_run(run: Run, status: Engine) -> None:
    """Raise RunStopped, with the stage and its trouble, where the run's summary says that it failed."""
    with status.connect() as connection:
        summary = connection.execute(statement("select_run_state"), {"run_id": run.run_id}).one()
    if summary.state == "failed":
        raise RunStopped(f"the run stopped at {summary.failed_stage}: {summary.error or 'see the log of that task'}")
