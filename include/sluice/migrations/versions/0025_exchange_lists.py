"""Lists of exchanges that are narrowed read what matches, not the whole past."""

from sluice.migrations.steps import sql_beside

revision = "0025"
down_revision = "0024"
upgrade = sql_beside(__file__)
