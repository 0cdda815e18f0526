"""${message}."""

from pathlib import Path

from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())
