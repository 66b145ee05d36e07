"""Answers to persons, links that open them, and who took them out."""

from sluice.migrations.steps import sql_beside

revision = "0017"
down_revision = "0016"
upgrade = sql_beside(__file__)
