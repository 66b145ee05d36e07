"""What was made of an exchange, found by an index."""

from sluice.migrations.steps import sql_beside

revision = "0026"
down_revision = "0025"
upgrade = sql_beside(__file__)
