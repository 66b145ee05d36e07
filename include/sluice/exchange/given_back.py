"""Under which paper an exchange was opened: that of its day, or of an ended agreement's last one."""

from datetime import date, datetime

from sluice.agreement.in_force.store import in_force
from sluice.agreement.papers import Paper, PaperMissing
from sluice.db import Connection
from sluice.exchange.model import Opened
from sluice.ledger.record import is_after_end, is_given_back
from sluice.terms import Direction
from sluice.times import brussels_day


def paper_under(conn: Connection, opened: Opened) -> Paper | PaperMissing:
    """The paper of an exchange; of contacts that are given back that of the contacts."""
    direction = Direction.INBOUND if is_given_back(opened.direction, opened.version_id) else opened.direction
    return in_force(conn, opened.principal, direction, opened.flow, day_under(opened), opened.opened_at)


def day_under(opened: Opened) -> date:
    """The Brussels day whose paper counts for an exchange."""
    return day_of_paper(opened.direction, opened.version_id, opened.opened_at, opened.day)


def day_of_paper(direction: Direction, version_id: str, opened_at: datetime, day: date | None) -> date:
    """The day it was opened; of what goes back once an agreement ended its own day, on which it still held."""
    if is_after_end(direction, version_id):
        assert day is not None  # the table's own constraint
        return day
    return brussels_day(opened_at)
