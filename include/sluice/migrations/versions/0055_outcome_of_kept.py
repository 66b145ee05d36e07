"""What an erasure kept and took later, once everybody had decided, is no longer said to be kept."""

from sluice.migrations.steps import sql_beside

revision = "0055"
down_revision = "0054"
upgrade = sql_beside(__file__)
