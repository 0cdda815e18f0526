import os
import stat
from pathlib import Path

import psycopg
import pytest

from local import postgres


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


def modes_up_from(folder: Path) -> dict[str, int]:
    return {str(parent): stat.S_IMODE(parent.stat().st_mode) for parent in [folder, *folder.parents]}


def test_a_cluster_is_made_once_run_reused_and_removed(state: Path) -> None:
    before = modes_up_from(state)
    cluster = postgres.cluster_in(state)
    try:
        assert postgres.cluster_in(state) == cluster
        with postgres.running(cluster) as server:
            with psycopg.connect(server.recreate("something")) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
            with postgres.running(cluster) as again:
                assert again.port == server.port
            psycopg.connect(server.url("something")).close()
            owner = Path(cluster.folder, "data", "postmaster.pid").stat().st_uid
            assert owner != 0
            assert owner == (os.getuid() or owner)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url("something"))
    finally:
        postgres.destroy(state)
    assert not Path(cluster.folder).exists()
    assert modes_up_from(state) == before


def test_it_listens_on_loopback_and_wants_the_password(postgres_server: postgres.Server) -> None:
    with psycopg.connect(postgres_server.url("postgres")) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
    wrong = postgres_server.url("postgres").replace(postgres_server.cluster.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_password_is_in_a_file_that_only_its_owner_reads(state: Path) -> None:
    try:
        postgres.cluster_in(state)
        assert stat.S_IMODE((state / "cluster.json").stat().st_mode) == 0o600
    finally:
        postgres.destroy(state)


def test_a_tool_that_fails_says_what_it_said(postgres_server: postgres.Server) -> None:
    with pytest.raises(RuntimeError, match="initdb failed"):
        postgres._run(postgres_server.cluster, "initdb")
