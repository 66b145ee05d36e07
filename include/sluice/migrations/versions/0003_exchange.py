"""Exchanges, the copies they made, and the effects still to do."""

from sluice.migrations.steps import sql_beside

revision = "0003"
down_revision = "0002"
upgrade = sql_beside(__file__)
