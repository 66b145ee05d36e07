"""What stands around an erasure: its plan and who released it, how its last run ended, what was stopped."""

from sluice.migrations.steps import sql_beside

revision = "0011"
down_revision = "0010"
upgrade = sql_beside(__file__)
