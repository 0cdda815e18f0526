"""The status database: what is known of each domain, every check, every unverified address, every run."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("evidence is not thrown away by a downgrade: restore a backup instead")
