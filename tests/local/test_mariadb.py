import pytest

from local import mariadb


def test_where_there_is_none_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(mariadb, "SYSTEM_FOLDERS", "/nowhere")
    with (
        pytest.raises(mariadb.MariadbMissing, match="apt-get install mariadb-server-core mariadb-client-core"),
        mariadb.running(),
    ):
        pass
