"""Answers that go to a controller: the person's wish, and the exchange that carried one."""

from sluice.migrations.steps import sql_beside

revision = "0020"
down_revision = "0019"
upgrade = sql_beside(__file__)
