"""Letters to the person of a case, and the last door of a refusal that was not told."""

from sluice.migrations.steps import sql_beside

revision = "0010"
down_revision = "0009"
upgrade = sql_beside(__file__)
