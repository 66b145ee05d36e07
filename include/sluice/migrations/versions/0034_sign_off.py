"""Role profiles that somebody signed off, and who."""

from sluice.migrations.steps import sql_beside

revision = "0034"
down_revision = "0033"
upgrade = sql_beside(__file__)
