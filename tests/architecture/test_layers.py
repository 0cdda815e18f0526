"""The rooms of the house: imports point one way, as pyproject.toml says, and names say what they mean."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.checkout import PLUGINS, ROOT

VAGUE = {"utils", "util", "common", "helpers", "helper", "manager", "shared", "misc"}


def lint_imports(configuration: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--config", str(configuration), "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(PLUGINS)])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_point_one_way() -> None:
    checked = lint_imports(ROOT / "pyproject.toml")
    assert checked.returncode == 0, checked.stdout
    assert "8 kept, 0 broken" in checked.stdout


def test_a_wrong_direction_would_be_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "contracts.toml"
    wrong.write_text(
        """
        [tool.importlinter]
        root_packages = ["lapsewatch"]

        [[tool.importlinter.contracts]]
        name = "upside down"
        type = "layers"
        layers = ["lapsewatch.core", "lapsewatch.stages"]
        """
    )
    assert lint_imports(wrong).returncode == 1


@pytest.mark.parametrize("folder", ["dags", "plugins", "simulator", "local", "include"])
def test_no_room_has_a_vague_name(folder: str) -> None:
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    assert not [str(file) for file in files if {file.stem, *file.parent.parts} & VAGUE]


def test_only_tasks_hold_airflow_tasks_and_only_connections_read_connections() -> None:
    sources = {file.relative_to(PLUGINS).as_posix(): file.read_text() for file in PLUGINS.rglob("*.py")}
    assert [name for name, source in sources.items() if "\n@task" in source] == ["lapsewatch/tasks.py"]
    assert [name for name, source in sources.items() if "Connection.get(" in source] == ["lapsewatch/connections.py"]
