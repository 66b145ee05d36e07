"""What was heard of staff is looked at once for each return, not at every poll."""

from sluice.migrations.steps import sql_beside

revision = "0040"
down_revision = "0039"
upgrade = sql_beside(__file__)
