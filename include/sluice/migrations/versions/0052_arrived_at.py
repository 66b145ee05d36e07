"""How old a file without a date in its name is, is said by when it was put, not by when somebody looked for it."""

from sluice.migrations.steps import sql_beside

revision = "0052"
down_revision = "0051"
upgrade = sql_beside(__file__)
