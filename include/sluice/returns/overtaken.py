"""Whether a return was overtaken: somebody in it must stay out since, somebody held may go, or its last day passed."""

from collections.abc import Sequence
from datetime import datetime

from sluice.agreement.model import Paper, PaperMissing
from sluice.exchange.deliver import RETURN
from sluice.exchange.house import House
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.suppressed import find_suppressed, names_any, was_lifted
from sluice.exchange.uses import needs_of_return
from sluice.ledger.record import CopyLine
from sluice.returns.model import Last
from sluice.subject.suppression import Suppression
from sluice.terms import Principal

MAY_END: frozenset[str] = frozenset(Suppression) - {Suppression.ERASED}
"""Reasons that rows are held for, and that can end."""


def names_kept_out(house: House, principal: Principal, copies: Sequence[CopyLine], paper: Paper | PaperMissing) -> bool:
    """Whether a return holds somebody who must stay out now; the index run among its copies tells.

    What was delivered is asked before it is put there again; an erasure edits file and run.
    """
    needs = needs_of_return(paper) if isinstance(paper, Paper) else None
    suppressed = find_suppressed(house, principal, needs)
    if suppressed is None:
        return False
    return names_any(house, copies, suppressed["ref"].to_list())


def past_day(copies: Sequence[CopyLine], now: datetime) -> str | None:
    """The last day of a return's file, once it is past; None while its bytes may go."""
    last_day = next((copy.delete_after for copy in copies if copy.kind == RETURN), None)
    return last_day if last_day and str(now.astimezone(BRUSSELS).date()) > last_day else None


def may_go_now(house: House, principal: Principal, last: Last) -> bool:
    """Whether rows of it were held for their persons, and a suppression of this principal ended since."""
    return bool(MAY_END & set(last.held)) and was_lifted(house.conn, principal, last.opened_at)
