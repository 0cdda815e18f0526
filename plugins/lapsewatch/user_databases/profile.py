"""A profile tells how a kind of service keeps its users' addresses: a declaration, and what makes standard views of it.

The statements are the same for all profiles of a dialect: `select_hosts`, `select_addresses`, `unverify_addresses`,
`select_unverified_addresses`, `select_standings`, `reverify_addresses`, `select_recipients` and `select_accounts`,
each saying at its top what it takes and gives. A profile has a file of its own only where its system differs.
`grants.sql` is run by the owner of the user database.
"""

import hashlib
import tomllib
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from sqlalchemy import TextClause, text

from lapsewatch.core.errors import SetupError

PROFILES_FOLDER = Path(__file__).parents[3] / "include" / "sql" / "user_databases"
STANDARD = PROFILES_FOLDER / "standard"
MARKS = {"postgresql": "comment on schema lapsewatch is", "mariadb": "alter database lapsewatch comment"}
"""How each dialect keeps a word on what was run."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Profile:
    """A declared profile: what its system's public schema can tell, and what unverifying does there."""

    name: str
    title: str
    dialect: Literal["postgresql", "mariadb"]
    follows: str
    """The public schema that its SQL was written for: version, migration or tables."""
    schema_source: Literal["own migrations", "subset", "invented"]
    """What it is tested on: a schema made by the system's own migrations, a subset of it, or one that is nobody's."""
    tells_verification_time: Literal["exact", "lower bound", "partly", "no"]
    """Lower bound: the address may have been verified later. Partly: of some addresses."""
    tells_primary: bool
    """Whether it knows which address is an account's primary one; true where an account has one only."""
    tells_other_addresses: bool
    """Whether an account can have several verified addresses."""
    tells_second_factor: bool
    tells_popularity: bool
    stops_reset: Literal["yes", "by address only", "no reset", "no", "unknown"]
    """Whether no password is reset any more by mail to an address that was unverified."""
    locks_out: Literal["no", "until verified again", "by setting", "unknown"]
    """Whether an account with no verified address can't be used by its owner either."""
    on_lapse: Literal["unverify", "report"]
    """Report: the daily run counts, notifies and explains, and takes nothing away unless its owner insists."""
    purged_by: str = ""
    """What deletes unverified addresses or accounts, so that they can't be given back; empty: nothing known."""
    caveats: tuple[str, ...] = ()
    """What is weaker in this system and follows from no other field: a sentence each."""
    evidence: Literal["ledger", "columns"] = "ledger"
    """Where it is kept on what evidence an address was unverified: Lapsewatch's ledger, or columns of the system's."""
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    """The tables that `grants.sql` names: the columns it needs, with their types as the database names them."""
    indexes: tuple[str, ...] = ()
    """What should be indexed for look-ups by key, as `table(column)`."""

    def statement(self, name: str) -> TextClause:
        """Return the SQL in the profile's `<name>.sql`, or else in that of its dialect."""
        return text(self._file(name).read_text())

    def grants(self) -> str:
        """Return the script that the user database's owner runs once: what Lapsewatch may see and change."""
        return f"{self._script()}\n{MARKS[self.dialect]} '{self.mark()}';\n"

    def mark(self) -> str:
        """Return what the script leaves in the database to know it by: it changes with each change of the script."""
        digest = hashlib.sha256(self._script().encode()).hexdigest()[:12]
        return f"What Lapsewatch sees of the users: profile {self.name}, script {digest}."

    def files(self) -> list[Path]:
        """Return the files that make the profile, the standard ones that it shares too."""
        standard = STANDARD / self.dialect
        statements = sorted({it.stem for it in standard.glob("*.sql") if not it.stem.startswith("grants_")})
        declaration = PROFILES_FOLDER / self.name / "profile.toml"
        return [declaration, *self._script_parts(), *(self._file(name) for name in statements)]

    def _script(self) -> str:
        return "\n".join(part.read_text() for part in self._script_parts())

    def _script_parts(self) -> list[Path]:
        """Return the files of the script in their order: the ledger and what works with it stand around its own."""
        own, standard = PROFILES_FOLDER / self.name / "grants.sql", STANDARD / self.dialect
        roles = standard / "grants_roles.sql"
        if self.evidence == "columns":
            return [roles, own]
        return [roles, standard / "grants_before.sql", own, standard / "grants_after.sql"]

    def _file(self, name: str) -> Path:
        own = PROFILES_FOLDER / self.name / f"{name}.sql"
        return own if own.exists() else STANDARD / self.dialect / f"{name}.sql"


_DECLARATION = TypeAdapter(Profile)


def profile_names() -> list[str]:
    """Return the names of all profiles, sorted."""
    return sorted(declaration.parent.name for declaration in PROFILES_FOLDER.glob("*/profile.toml"))


@cache
def load_profile(name: str) -> Profile:
    """Return a profile by name. Raises SetupError where there is none of that name, or its declaration is wrong."""
    if name not in profile_names():
        raise SetupError(
            f"there is no user database profile {name!r} (for a run, 'profile' in the extra of the Airflow connection"
            f" 'user_db' names it); there are: {', '.join(profile_names())}"
        )
    folder = PROFILES_FOLDER / name
    if not (folder / "grants.sql").exists():
        raise SetupError(f"the profile {name!r} has no grants.sql beside its profile.toml: it is made of both")
    try:
        return read_declaration(name, (folder / "profile.toml").read_text("utf-8"))
    except UnicodeDecodeError:
        raise SetupError(f"profile.toml of the profile {name!r} is no text in UTF-8") from None


def read_declaration(name: str, declaration: str) -> Profile:
    """Return the profile that a `profile.toml` declares. Raises SetupError that names each field that is wrong."""
    try:
        declared = tomllib.loads(declaration)
        return _DECLARATION.validate_python(declared | {"name": name})
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"profile.toml of the profile {name!r} is no TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        raise SetupError(f"profile.toml of the profile {name!r} is not usable: {wrong}") from None
