"""Recipients are found out, and told, once for each decision on a part, not once for the part."""

from sluice.migrations.steps import sql_beside

revision = "0053"
down_revision = "0052"
upgrade = sql_beside(__file__)
