"""Agreements and contracts as registered, and which of them was in force when, as known when."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file on the driver's own connection: no parameters, so ``%`` is text."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Exchanges point at what is registered here: it is never removed by a migration."""
    raise NotImplementedError("registered papers are never removed by a migration")
