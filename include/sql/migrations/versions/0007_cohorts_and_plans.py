"""Cohorts, one plan a run, and extractions that the runs of a backfill share."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("what was asked is not thrown away by a downgrade: restore a backup instead")
