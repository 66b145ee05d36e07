"""Credentials of staff, code-of-conduct versions and platform accounts, as they were recorded."""

from sluice.migrations.steps import sql_beside

revision = "0004"
down_revision = "0003"
upgrade = sql_beside(__file__)
