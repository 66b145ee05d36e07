"""Dial lists and answers that a worker of an older version closed after 0029 are linked to what they are made of."""

from pathlib import Path

from sluice.migrations.steps import run_sql

revision = "0031"
down_revision = "0030"

LINK = Path(__file__).with_name("0029_made_of.sql").read_text(encoding="utf-8").rpartition("reset role;")[2]
"""What 0029 did for all that was closed by then."""


def upgrade() -> None:
    run_sql(LINK)
