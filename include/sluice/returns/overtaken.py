"""Whether the rights of persons overtook a return: somebody in it must stay out since, or somebody held may go."""

from sluice.exchange.house import House
from sluice.exchange.suppressed import find_suppressed, names_any, was_lifted
from sluice.ledger.record import ExchangeRecord
from sluice.returns.model import Last
from sluice.subject.suppression import Suppression
from sluice.terms import Principal

MAY_END: frozenset[str] = frozenset(Suppression) - {Suppression.ERASED}
"""Reasons that rows are held for, and that can end."""


def names_kept_out(house: House, principal: Principal, prepared: ExchangeRecord) -> bool:
    """Whether a prepared return holds somebody who must stay out now; its own index run tells.

    What was delivered is not asked: there an erasure edits the file.
    """
    suppressed = find_suppressed(house, principal)
    if suppressed is None:
        return False
    return names_any(house, prepared.how_long.copies, suppressed["ref"].to_list())


def may_go_now(house: House, principal: Principal, last: Last) -> bool:
    """Whether rows of it were held for their persons, and a suppression of this principal ended since."""
    return bool(MAY_END & set(last.held)) and was_lifted(house.conn, principal, last.opened_at)
