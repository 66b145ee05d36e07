"""Dial lists and answers to controllers have the exchanges they are made of beside them, as returns do."""

from sluice.migrations.steps import sql_beside

revision = "0029"
down_revision = "0028"
upgrade = sql_beside(__file__)
