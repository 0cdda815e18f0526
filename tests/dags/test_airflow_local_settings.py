"""Only a process that forks tasks imports what tasks need: it takes ten seconds."""

import airflow_local_settings
import pytest
from airflow.configuration import conf


@pytest.mark.parametrize(
    ("executor", "arguments", "forks_tasks"),
    [
        ("LocalExecutor", ["scheduler", "--skip-serve-logs"], True),
        ("CeleryExecutor", ["scheduler"], False),
        ("CeleryExecutor", ["celery", "worker"], True),
        ("CeleryExecutor", ["celery", "flower"], False),
        ("LocalExecutor", ["api-server"], False),
        ("LocalExecutor", ["backfill", "create"], False),
        ("LocalExecutor", [], False),
    ],
)
def test_who_imports_what_tasks_need(
    monkeypatch: pytest.MonkeyPatch, executor: str, arguments: list[str], *, forks_tasks: bool
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    assert conf.get("core", "executor") == executor
    assert airflow_local_settings._forks_tasks(arguments) is forks_tasks


def test_nothing_of_it_becomes_a_setting_of_airflows() -> None:
    assert airflow_local_settings.__all__ == []
