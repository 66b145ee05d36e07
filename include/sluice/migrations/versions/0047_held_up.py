"""Which exchanges wait for us is noted when they are given back; it was read off a list of codes."""

from sluice.migrations.steps import sql_beside

revision = "0047"
down_revision = "0046"
upgrade = sql_beside(__file__)
