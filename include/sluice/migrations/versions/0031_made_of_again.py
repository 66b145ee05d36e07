"""Dial lists and answers that a worker of an older version closed after 0029 are linked to what they are made of."""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

LINK = Path(__file__).with_name("0029_made_of.sql").read_text().rpartition("reset role;")[2]
"""What 0029 did for all that was closed by then."""


def upgrade() -> None:
    op.execute(LINK)
