"""Who signs instructions is remembered: a key file that is gone makes no unsigned one good."""

from sluice.migrations.steps import sql_beside

revision = "0049"
down_revision = "0048"
upgrade = sql_beside(__file__)
