"""Rows whose notes a person reviews: what was decided of each, and the file the others come back in."""

from sluice.migrations.steps import sql_beside

revision = "0013"
down_revision = "0012"
upgrade = sql_beside(__file__)
