"""Erasures are taken up in their turn: what cannot begin or end yet keeps no other from its own."""

from sluice.migrations.steps import sql_beside

revision = "0045"
down_revision = "0044"
upgrade = sql_beside(__file__)
