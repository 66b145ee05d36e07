"""How an erasure can end besides: somebody has still to decide."""

from sluice.migrations.steps import sql_beside

revision = "0036"
down_revision = "0035"
upgrade = sql_beside(__file__)
