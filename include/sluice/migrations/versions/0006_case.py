"""Requests of persons: cases, their parts, every step they took, and the files that asked for it."""

from sluice.migrations.steps import sql_beside

revision = "0006"
down_revision = "0005"
upgrade = sql_beside(__file__)
