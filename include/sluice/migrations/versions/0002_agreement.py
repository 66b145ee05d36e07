"""Agreements and contracts as registered, and which of them was in force when, as known when."""

from sluice.migrations.steps import sql_beside

revision = "0002"
down_revision = "0001"
upgrade = sql_beside(__file__)
