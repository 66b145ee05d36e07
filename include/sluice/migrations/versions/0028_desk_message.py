"""Messages to the desk: stored whole, then sent by each way."""

from sluice.migrations.steps import sql_beside

revision = "0028"
down_revision = "0027"
upgrade = sql_beside(__file__)
