"""What analysts and the page read: views, and the state of all domains as each run leaves it."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward: restore a backup instead")
