"""Refusals that the desk was not told of are found by a mark of each, not by a time."""

from sluice.migrations.steps import sql_beside

revision = "0033"
down_revision = "0032"
upgrade = sql_beside(__file__)
