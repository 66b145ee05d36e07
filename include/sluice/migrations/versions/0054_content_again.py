"""The bytes of an accepted file may come again, once after each time, where another file says otherwise in between."""

from sluice.migrations.steps import sql_beside

revision = "0054"
down_revision = "0053"
upgrade = sql_beside(__file__)
