"""What Airflow imports at the start of each of its processes, before it does anything else.

A process that forks one for each task imports what tasks need: a task then begins in a third of a second, where it
would take ten to import Great Expectations and the rest by itself. Restart such a process when the code changes.
"""

import sys
from importlib import import_module

from airflow.configuration import conf

__all__: list[str] = []

NEEDED_BY_TASKS = (
    "airflow.sdk.execution_time.task_runner",
    "lapsewatch.tasks",
    "lapsewatch.stages.validate_checks",
)


def _forks_tasks(arguments: list[str]) -> bool:
    if arguments[:1] == ["scheduler"]:
        return "LocalExecutor" in conf.get("core", "executor")
    return arguments[:2] == ["celery", "worker"]


if _forks_tasks(sys.argv[1:]):
    for name in NEEDED_BY_TASKS:
        import_module(name)
