"""Limits, approvals, undoing and exemptions: what makes it safe to let the run work alone."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("what people have decided is not thrown away by a downgrade: restore a backup instead")
