"""What is removed when its time is over: sealed material of closed cases, keys of agreements that ended."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())
