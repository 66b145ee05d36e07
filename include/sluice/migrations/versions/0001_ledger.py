"""The ledger: chains, entries, checkpoints and the two functions that may add to them."""

from sluice.migrations.steps import sql_beside

revision = "0001"
down_revision = None
upgrade = sql_beside(__file__)
