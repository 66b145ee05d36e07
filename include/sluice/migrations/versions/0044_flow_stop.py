"""A flow can be stopped: what arrives waits, and nothing of it goes out."""

from sluice.migrations.steps import sql_beside

revision = "0044"
down_revision = "0043"
upgrade = sql_beside(__file__)
