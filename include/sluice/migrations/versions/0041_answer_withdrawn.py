"""A package goes when its request is taken back, and says so."""

from sluice.migrations.steps import sql_beside

revision = "0041"
down_revision = "0040"
upgrade = sql_beside(__file__)
