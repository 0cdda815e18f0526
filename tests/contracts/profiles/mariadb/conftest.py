"""A user database on a real MariaDB for each profile that is for one. `make test-full` runs this folder."""

from collections.abc import Iterator

import pymysql
import pytest
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.mariadb import MariaDB
from lapsewatch.user_databases.profile import load_profile, profile_names
from sqlalchemy import create_engine

from local import mariadb, privileges
from tests.contracts.profiles.conftest import system_of
from tests.contracts.profiles.system import SCHEMAS, System

ON_MARIADB = [name for name in profile_names() if load_profile(name).dialect == "mariadb"]
SERVICE = "service"
"""The service's own database."""


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[mariadb.Server]:
    """A MariaDB of this session's own, gone at its end."""
    with mariadb.running() as server:
        for login, group in privileges.GROUPS.items():
            server.run(f"""
                create role {group};
                create user {login} identified by '{server.password}';
                grant {group} to {login};
                set default role {group} for {login};
            """)
        yield server


def login_url(server: mariadb.Server, login: str) -> str:
    return f"{MariaDB.driver}://{login}:{server.password}@127.0.0.1:{server.port}/lapsewatch?charset=utf8mb4"


@pytest.fixture(params=ON_MARIADB)
def system(request: pytest.FixtureRequest, mariadb_server: mariadb.Server) -> Iterator[System]:
    """An empty user database of each profile in turn."""
    profile = load_profile(request.param)
    mariadb_server.run(
        f"drop database if exists lapsewatch; drop database if exists {SERVICE};"
        f" create database {SERVICE} character set utf8mb4 collate utf8mb4_unicode_ci;"
    )
    mariadb_server.run((SCHEMAS / f"{profile.name}.sql").read_text(), SERVICE)
    mariadb_server.run(profile.grants(), SERVICE)
    unverifier, reader = (
        create_engine(login_url(mariadb_server, login)) for login in (privileges.UNVERIFIER, privileges.READER)
    )
    with pymysql.connect(
        host="127.0.0.1", port=mariadb_server.port, user="root", password=mariadb_server.password, database=SERVICE,
        charset="utf8mb4", autocommit=True,
    ) as connection:  # fmt: skip
        system = system_of(profile.name)(connection)
        system.users = UserDatabase(unverifier, profile, on_lapse="unverify")
        system.reader = UserDatabase(reader, profile)
        yield system
    unverifier.dispose()
    reader.dispose()
