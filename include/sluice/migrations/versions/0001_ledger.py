"""The ledger: chains, entries, checkpoints and the two functions that may add to them."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file on the driver's own connection: no parameters, so ``%`` and ``:`` are text."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """There is no way back: a ledger that can be dropped by a command proves nothing."""
    raise NotImplementedError("the ledger is never removed by a migration")
