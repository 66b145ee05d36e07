"""Where the last run of an erasure began, so that what is decided or restricted elsewhere waits for the next one."""

from sluice.migrations.steps import sql_beside

revision = "0057"
down_revision = "0056"
upgrade = sql_beside(__file__)
