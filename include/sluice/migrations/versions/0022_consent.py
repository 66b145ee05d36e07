"""Lists of consent records: where they lie; whose they are and what was said stands in S3 only."""

from sluice.migrations.steps import sql_beside

revision = "0022"
down_revision = "0021"
upgrade = sql_beside(__file__)
