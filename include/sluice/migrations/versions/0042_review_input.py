"""Held rows that came back name the exchange that held them."""

from sluice.migrations.steps import sql_beside

revision = "0042"
down_revision = "0041"
upgrade = sql_beside(__file__)
