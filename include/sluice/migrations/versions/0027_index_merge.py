"""Merges of index runs: which lie where, and what they answer for."""

from sluice.migrations.steps import sql_beside

revision = "0027"
down_revision = "0026"
upgrade = sql_beside(__file__)
