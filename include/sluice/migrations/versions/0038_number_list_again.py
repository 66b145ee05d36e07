"""A Do-Not-Call-Me list that was imported again is as young as that import, and by whoever made it."""

from sluice.migrations.steps import sql_beside

revision = "0038"
down_revision = "0037"
upgrade = sql_beside(__file__)
