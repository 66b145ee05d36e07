"""What is removed when its time is over: sealed material of closed cases, keys of agreements that ended."""

from sluice.migrations.steps import sql_beside

revision = "0015"
down_revision = "0013"
upgrade = sql_beside(__file__)
