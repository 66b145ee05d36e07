"""Retention: what went, what is held, what was given back."""

from sluice.migrations.steps import sql_beside

revision = "0019"
down_revision = "0018"
upgrade = sql_beside(__file__)
