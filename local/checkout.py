"""Where things are in the checkout. Everything that is made at run time lives in `.local/`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / ".local"
DAGS = ROOT / "dags"
PLUGINS = ROOT / "plugins"
ALEMBIC_INI = ROOT / "include" / "sql" / "migrations" / "alembic.ini"


def local_folder(name: str = "") -> Path:
    """Return a folder under `.local/`, made if need be, closed to other users: it holds passwords."""
    LOCAL.mkdir(mode=0o700, exist_ok=True)
    folder = LOCAL / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
