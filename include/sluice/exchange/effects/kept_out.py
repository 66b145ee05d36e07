"""Whether what is about to be delivered holds somebody who must stay out by now, and whether a newer one replaces it.

A closed return can wait long for its delivery (a store is away, a worker died), and somebody objects meanwhile.
"""

from collections.abc import Sequence

from sluice.agreement.papers import Paper, PaperMissing
from sluice.db import Connection
from sluice.exchange.catalogue import find_copies
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.persons.suppressed import find_suppressed, names_any
from sluice.exchange.uses import needs_of_file, needs_of_return
from sluice.ledger.record import GIVEN_BACK, CopyLine, is_given_back
from sluice.subject.scope import Need
from sluice.terms import Principal

_IS_REPLACED = f"""exists (select from exchange newer
    where (newer.principal, newer.direction, newer.flow, newer.day)
        = (exchange.principal, exchange.direction, exchange.flow, exchange.day)
      and starts_with(newer.version_id, '{GIVEN_BACK}') = starts_with(exchange.version_id, '{GIVEN_BACK}')
      and newer.opened_at > exchange.opened_at)"""


def names_kept_out(house: House, principal: Principal, copies: Sequence[CopyLine], paper: Paper | PaperMissing) -> bool:
    """Whether a return holds somebody who must stay out now, by the index run among its copies.

    This is also checked before a return is delivered again, as an erasure edits both the file and the run.
    """
    return _names(house, principal, copies, needs_of_return(paper) if isinstance(paper, Paper) else None)


def is_overtaken(house: House, opened: Opened) -> bool:
    """Whether a closed return, or what is given back, holds somebody who must stay out now."""
    copies, paper = find_copies(house.conn, opened.exchange_id), paper_under(house.conn, opened)
    if isinstance(paper, Paper) and is_given_back(opened.direction, opened.version_id):
        return _names(house, opened.principal, copies, needs_of_file(paper))
    return names_kept_out(house, opened.principal, copies, paper)


def _names(house: House, principal: Principal, copies: Sequence[CopyLine], needs: tuple[Need, ...] | None) -> bool:
    suppressed = find_suppressed(house, principal, needs)
    return suppressed is not None and names_any(house, copies, suppressed["ref"].to_list())


def is_replaced(conn: Connection, opened: Opened) -> bool:
    """Whether a newer return of the same day, or a newer giving back, was opened since."""
    row = conn.execute(
        f"select {_IS_REPLACED} as is_so from exchange where exchange_id = %s", (opened.exchange_id,)
    ).fetchone()
    return bool(row and row["is_so"])
