"""What a suppression reaches; dial lists; the imported Do-Not-Call-Me list; corrections, without their values."""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())
