"""The catalogue of suppression runs; the references themselves lie in S3."""

from sluice.migrations.steps import sql_beside

revision = "0007"
down_revision = "0006"
upgrade = sql_beside(__file__)
