from pathlib import Path

from local import parts


def test_an_airflow_that_was_killed_is_not_taken_for_running(tmp_path: Path) -> None:
    environment = {"AIRFLOW_HOME": str(tmp_path)}
    assert parts.already_running(environment) is None
    (tmp_path / "address").write_text("http://127.0.0.1:9")
    assert parts.already_running(environment) is None
