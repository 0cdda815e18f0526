"""Whether the tables of the status database are the ones that this code knows."""

from functools import cache

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from lapsewatch.core.errors import SetupError, Unavailable
from lapsewatch.status_database.statements import SQL_FOLDER

ALEMBIC_INI = SQL_FOLDER / "migrations" / "alembic.ini"


def require_current_schema(engine: Engine) -> None:
    """Raise Unavailable where the database can't be reached, SetupError where its migrations are not the code's."""
    try:
        with engine.connect() as connection:
            found = connection.scalar(text("select version_num from lapsewatch.alembic_version"))
    except ProgrammingError:
        found = None
    except OperationalError as error:
        raise Unavailable(
            f"the status database can't be reached ({type(error.orig).__name__}):"
            " check the Airflow connection 'status_db'"
        ) from None
    if found != _newest_migration():
        raise SetupError(
            f"the status database is at migration {found or 'none'}, the code needs {_newest_migration()}:"
            " run 'alembic -c include/sql/migrations/alembic.ini upgrade head'"
        )


@cache
def _newest_migration() -> str | None:
    return ScriptDirectory.from_config(Config(ALEMBIC_INI)).get_current_head()
