"""That a day's return has nothing new is looked up, not found out again by reading its record and all its inputs."""

from sluice.migrations.steps import sql_beside

revision = "0043"
down_revision = "0042"
upgrade = sql_beside(__file__)
