"""What was decided when a run left nothing to do: it is due again once that is another."""

from sluice.migrations.steps import sql_beside

revision = "0037"
down_revision = "0036"
upgrade = sql_beside(__file__)
