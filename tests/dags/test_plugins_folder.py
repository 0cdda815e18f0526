"""Airflow executes every Python file under `plugins/` as a top-level module, unless `.airflowignore` keeps it out."""

import shutil
import sys
from pathlib import Path

from airflow import plugins_manager
from airflow._shared.module_loading.file_discovery import find_path_from_directory

from local.checkout import PLUGINS


def executed_by_airflow(folder: Path) -> list[str]:
    found = find_path_from_directory(str(folder), ".airflowignore", "glob")
    return sorted(Path(path).relative_to(folder).as_posix() for path in found if path.endswith(".py"))


def test_loading_plugins_executes_no_module_of_ours_at_the_top_level() -> None:
    plugins_manager.ensure_plugins_loaded()
    assert plugins_manager.get_import_errors() == {}
    ours = {
        name
        for name, module in sys.modules.items()
        if str(getattr(module, "__file__", None)).startswith(str(PLUGINS)) and not name.endswith("_plugin")
    }
    assert ours
    assert {name.split(".")[0] for name in ours} <= {"lapsewatch", "airflow_local_settings"}


def test_airflow_executes_plugin_files_and_nothing_else() -> None:
    assert executed_by_airflow(PLUGINS) == [file.name for file in PLUGINS.glob("*_plugin.py")]


def test_a_plugin_file_would_be_found_and_a_module_not(tmp_path: Path) -> None:
    shutil.copy(PLUGINS / ".airflowignore", tmp_path)
    (tmp_path / "lapsewatch").mkdir()
    for name in ("some_plugin.py", "email.py", "lapsewatch/tasks.py"):
        (tmp_path / name).touch()
    assert executed_by_airflow(tmp_path) == ["some_plugin.py"]


def test_without_the_ignore_file_every_module_would_be_executed(tmp_path: Path) -> None:
    (tmp_path / "email.py").touch()
    assert executed_by_airflow(tmp_path) == ["email.py"]
