"""What of each part of a case is in a package, so that a letter says no more than was given."""

from sluice.migrations.steps import sql_beside

revision = "0050"
down_revision = "0049"
upgrade = sql_beside(__file__)
