"""Under which paper an exchange was opened: that of its day, or of an ended agreement's last one."""

from sluice.agreement.model import Paper, PaperMissing
from sluice.agreement.store import in_force
from sluice.db import Connection
from sluice.exchange.model import Opened
from sluice.exchange.naming import BRUSSELS
from sluice.ledger.record import is_given_back
from sluice.terms import Direction


def paper_under(conn: Connection, opened: Opened) -> Paper | PaperMissing:
    """The paper of an exchange; of what is given back that of the contacts, on the agreement's last day."""
    if is_given_back(opened.direction, opened.version_id):
        assert opened.day is not None  # the table's own constraint
        return in_force(conn, opened.principal, Direction.INBOUND, opened.flow, opened.day, opened.opened_at)
    on = opened.opened_at.astimezone(BRUSSELS).date()
    return in_force(conn, opened.principal, opened.direction, opened.flow, on, opened.opened_at)
