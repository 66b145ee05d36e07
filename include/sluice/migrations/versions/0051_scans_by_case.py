"""The second scans of one case are found by an index, not by reading every scan in the ledger."""

from sluice.migrations.steps import sql_beside

revision = "0051"
down_revision = "0050"
upgrade = sql_beside(__file__)
