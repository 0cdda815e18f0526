"""The journal of a run: every stage writes down when it ran, what it counted and what went wrong."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from lapsewatch.core.errors import LapsewatchError
from lapsewatch.status_database.statements import statement

Counts = dict[str, int | str | dict[str, int] | list[dict[str, object]]]


@contextmanager
def stage(engine: Engine, run_id: str, name: str, batch: int = -1) -> Iterator[Counts]:
    """Record one attempt at a stage, begun before anything else of it; what its body counts is kept with it.

    Foreign errors are recorded by their type alone, because their texts may quote data.
    """
    key = {"run_id": run_id, "stage": name, "batch": batch}
    counts: Counts = {}
    with engine.begin() as connection:
        connection.execute(statement("start_stage"), key)
    try:
        yield counts
    except BaseException as error:
        line = str(error) if isinstance(error, LapsewatchError) else type(error).__name__
        _finish(engine, key, "failed", counts, line)
        raise
    _finish(engine, key, "success", counts, None)


def _finish(engine: Engine, key: dict[str, object], state: str, counts: Counts, error: str | None) -> None:
    values = key | {"state": state, "counts": json.dumps(counts), "error": error}
    with engine.begin() as connection:
        connection.execute(statement("finish_stage"), values)
