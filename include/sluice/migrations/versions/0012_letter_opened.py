"""Who took a letter out of the vault, and when."""

from sluice.migrations.steps import sql_beside

revision = "0012"
down_revision = "0011"
upgrade = sql_beside(__file__)
