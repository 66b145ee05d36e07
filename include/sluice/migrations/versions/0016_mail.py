"""Mail that was owed and sent: numbers and codes, no address and no person."""

from sluice.migrations.steps import sql_beside

revision = "0016"
down_revision = "0015"
upgrade = sql_beside(__file__)
