"""A staff file of which a row was refused can be imported again, once that row is right."""

from sluice.migrations.steps import sql_beside

revision = "0039"
down_revision = "0038"
upgrade = sql_beside(__file__)
