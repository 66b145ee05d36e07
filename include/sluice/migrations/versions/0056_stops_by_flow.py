"""The stops of a flow that are over are found by it too."""

from sluice.migrations.steps import sql_beside

revision = "0056"
down_revision = "0055"
upgrade = sql_beside(__file__)
