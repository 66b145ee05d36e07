"""Merges of index runs are noted by month, and only when they are whole."""

from sluice.migrations.steps import sql_beside

revision = "0030"
down_revision = "0029"
upgrade = sql_beside(__file__)
