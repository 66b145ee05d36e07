"""Find the paper of an exchange: that of its day or, once its agreement ended, of a day on which that still held."""

from datetime import date, datetime

from sluice.agreement.in_force.store import in_force
from sluice.agreement.papers import Paper, PaperMissing
from sluice.db import Connection
from sluice.exchange.model import Opened
from sluice.exchange.review_store import find_by_file
from sluice.exchange.store import get_opened
from sluice.ledger.record import is_after_end, is_given_back
from sluice.terms import Direction
from sluice.times import brussels_day


def paper_under(conn: Connection, opened: Opened) -> Paper | PaperMissing:
    """Return the paper of an exchange. Contacts that are given back are under the paper that they arrived under.

    So are rows that come back from a review: they have the columns of the contract by which they were held.
    """
    if review := find_by_file(conn, opened.bucket, opened.key):
        return paper_under(conn, get_opened(conn, review.exchange_id))
    direction = Direction.INBOUND if is_given_back(opened.direction, opened.version_id) else opened.direction
    return in_force(conn, opened.principal, direction, opened.flow, day_under(opened), opened.asked_at)


def day_under(opened: Opened) -> date:
    """The Brussels day whose paper counts for an exchange."""
    return day_of_paper(opened.direction, opened.version_id, opened.asked_at, opened.day)


def day_of_paper(direction: Direction, version_id: str, asked_at: datetime, day: date | None) -> date:
    """Return the day as of which the exchange's papers are asked.

    For what goes back after an agreement ended, it is the exchange's own ``day``, on which the agreement still held.
    """
    if is_after_end(direction, version_id):
        assert day is not None  # the table's own constraint
        return day
    return brussels_day(asked_at)
