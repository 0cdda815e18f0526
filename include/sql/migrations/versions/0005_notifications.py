"""The outbox of notifications, and since when a domain is expired."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("whom was told what is not thrown away by a downgrade: restore a backup instead")
