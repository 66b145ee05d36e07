"""Of a principal's own file: which of its persons an exchange held, so that its recipients hear of those."""

from sluice.migrations.steps import sql_beside

revision = "0048"
down_revision = "0047"
upgrade = sql_beside(__file__)
