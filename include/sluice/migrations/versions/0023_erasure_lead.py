"""Leads of an erasure: which exchanges it opens whatever the index says."""

from sluice.migrations.steps import sql_beside

revision = "0023"
down_revision = "0022"
upgrade = sql_beside(__file__)
