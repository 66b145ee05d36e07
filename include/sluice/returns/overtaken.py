"""Whether a return was overtaken: somebody in it was corrected, somebody held may go, its last day passed.

So too if its agreement ended, or if somebody in it must stay out now (``exchange/effects/kept_out.py``).
"""

from collections.abc import Sequence
from datetime import datetime

from sluice.agreement.in_force.ended import read_ends
from sluice.agreement.in_force.store import find_principal_agreement
from sluice.db import Connection
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.persons.correction_store import was_corrected
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.persons.suppressed import names_any
from sluice.exchange.persons.suppressed_store import last_lifted
from sluice.ledger.copy_kinds import RETURN
from sluice.ledger.record import CopyLine, is_after_end
from sluice.returns.glance import is_lifted_since
from sluice.returns.model import Last
from sluice.terms import Principal
from sluice.times import brussels_day


def names_corrected(house: House, principal: Principal, copies: Sequence[CopyLine], since: datetime) -> bool:
    """Whether a return holds somebody of whom a value was corrected after an instant (GDPR Art. 16), by its index."""
    if not was_corrected(house.conn, principal, since):
        return False
    later = [each for each in find_corrections(house, principal) if each.made_at > since]
    return names_any(house, copies, sorted({ref for each in later for ref in each.refs}))


def may_still_go(conn: Connection, opened: Opened, now: datetime) -> bool:
    """Whether a prepared return may go: its own agreement did not end, or it goes back because that one did."""
    if is_after_end(opened.direction, opened.version_id):
        return True
    principal, on = opened.principal, brussels_day(now)
    if find_principal_agreement(conn, principal, on, now) is None:
        return False
    return read_ends(conn, principal, on, now).of(opened.direction, opened.flow) is None


def past_day(copies: Sequence[CopyLine], now: datetime) -> str | None:
    """The last day of a return's file if it is past; None while the file may go out."""
    last_day = next((copy.delete_after for copy in copies if copy.kind == RETURN), None)
    return last_day if last_day and str(brussels_day(now)) > last_day else None


def may_go_now(house: House, principal: Principal, last: Last) -> bool:
    """Whether a return held rows because of their persons, and a suppression of this principal ended since."""
    return is_lifted_since(last, last_lifted(house.conn, principal))
