"""A user database for each profile, to hold the same contract to all of them."""

from collections.abc import Callable, Iterator
from importlib import import_module

import psycopg
import pytest
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile, profile_names

from local import postgres, privileges
from tests.conftest import copy, sqlalchemy_engine
from tests.contracts.profiles.system import System

ON_POSTGRESQL = [name for name in profile_names() if load_profile(name).dialect == "postgresql"]


def system_of(profile: str) -> type[System]:
    """Return the adapter of a profile: the only class in the module of its name that adapts it."""
    module = import_module(f"tests.contracts.profiles.systems.{profile}")
    (found,) = [it for it in vars(module).values() if isinstance(it, type) and getattr(it, "name", None) == profile]
    return found


@pytest.fixture(scope="session")
def profile_template(postgres_server: postgres.Server) -> Callable[[str], str]:
    """Returns the name of a database to copy: the profile's tables, without users, with the views on them."""
    made: set[str] = set()

    def template(profile: str) -> str:
        name = f"profile_{profile}"
        if profile not in made:
            url = postgres_server.recreate(name)
            system_of(profile).create(url)
            privileges.grant(url, postgres_server.cluster.password, load_profile(profile).grants())
            made.add(profile)
        return name

    return template


@pytest.fixture(params=ON_POSTGRESQL)
def system(
    request: pytest.FixtureRequest, postgres_server: postgres.Server, profile_template: Callable[[str], str]
) -> Iterator[System]:
    """An empty user database of each profile in turn."""
    profile = load_profile(request.param)
    url = copy(postgres_server, profile_template(profile.name), "contract")
    unverifier, reader = (
        sqlalchemy_engine(postgres_server.url("contract", login))
        for login in (privileges.UNVERIFIER, privileges.READER)
    )
    with psycopg.connect(url, autocommit=True) as connection:
        system = system_of(profile.name)(connection)
        # Also where the profile only reports: what its statements do is held to the same.
        system.users = UserDatabase(unverifier, profile, on_lapse="unverify")
        system.reader = UserDatabase(reader, profile)
        yield system
    unverifier.dispose()
    reader.dispose()
