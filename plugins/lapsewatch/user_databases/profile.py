"""A profile tells how a kind of service keeps its users' addresses: a folder of SQL, and a declaration.

Every profile has the same files: `select_hosts`, `select_addresses`, `unverify_addresses`,
`select_unverified_addresses`, `select_standings`, `reverify_addresses` and `select_recipients`, each saying at its top
what it takes and gives. One that can tell which accounts hang on a single address says `tells_accounts`, and has
`select_accounts` too. `grants.sql` is run by the owner of the user database.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

from lapsewatch.core.errors import SetupError

PROFILES_FOLDER = Path(__file__).parents[3] / "include" / "sql" / "user_databases"


@dataclass(frozen=True, slots=True)
class Profile:
    """A declared profile. `follows` names the public schema that its SQL was written for."""

    name: str
    title: str
    dialect: str
    follows: str
    tells_accounts: bool = False

    def statement(self, name: str) -> TextClause:
        """Return the SQL in the profile's `<name>.sql`."""
        return text((PROFILES_FOLDER / self.name / f"{name}.sql").read_text())


def profile_names() -> list[str]:
    """Return the names of all profiles, sorted."""
    return sorted(declaration.parent.name for declaration in PROFILES_FOLDER.glob("*/profile.toml"))


@cache
def load_profile(name: str) -> Profile:
    """Return a profile by name. Raises SetupError where there is none of that name."""
    if name not in profile_names():
        raise SetupError(
            f"there is no user database profile {name!r}: set 'profile' in the extra of the Airflow connection"
            f" 'user_db' to one of: {', '.join(profile_names())}"
        )
    return Profile(name=name, **tomllib.loads((PROFILES_FOLDER / name / "profile.toml").read_text()))
