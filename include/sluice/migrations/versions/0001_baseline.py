"""Every table, function and right that Sluice starts with, in a database that is empty."""

from sluice.migrations.steps import sql_beside

revision = "0001"
down_revision = None
upgrade = sql_beside(__file__)
