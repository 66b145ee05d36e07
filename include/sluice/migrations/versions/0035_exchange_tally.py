"""How many exchanges said the same, by day: what registers count."""

from sluice.migrations.steps import sql_beside

revision = "0035"
down_revision = "0034"
upgrade = sql_beside(__file__)
