"""Who has a copy of what was decided, whether they were told, and what they said: ids, counts, states."""

from sluice.migrations.steps import sql_beside

revision = "0009"
down_revision = "0008"
upgrade = sql_beside(__file__)
