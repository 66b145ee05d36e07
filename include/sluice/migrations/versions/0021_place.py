"""Which copies and exchanges are of one object: retention and erasures ask it of every copy."""

from sluice.migrations.steps import sql_beside

revision = "0021"
down_revision = "0020"
upgrade = sql_beside(__file__)
