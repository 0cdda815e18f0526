"""Second witnesses beside each check, and lapses as events of their own."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("evidence is not thrown away by a downgrade: restore a backup instead")
