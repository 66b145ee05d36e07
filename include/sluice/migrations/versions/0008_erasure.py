"""What erasing needs: copies that change, writes of our own that are no arrivals, and what was done."""

from sluice.migrations.steps import sql_beside

revision = "0008"
down_revision = "0007"
upgrade = sql_beside(__file__)
