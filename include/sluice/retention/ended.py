"""Ended agreements that ask for their data back (GDPR Art. 28(3)(g))."""

from datetime import date, datetime

from sluice.agreement.in_force.ended import Ends, read_ends
from sluice.agreement.in_force.store import find_owner
from sluice.agreement.model import Agreement
from sluice.db import Connection
from sluice.errors import NotFound, Ref, as_typed
from sluice.retention import store
from sluice.retention.model import RetentionRefused
from sluice.terms import Principal
from sluice.times import brussels_day


def pick_returning(
    conn: Connection, principal: Principal, now: datetime, agreement_id: str | None = None
) -> tuple[Ends, Agreement]:
    """The agreement that was named; without a name the first that waits for its data to go back, or else the last.

    Raises RetentionRefused if none ended, or the ended one asks for deletion; NotFound for an agreement of nobody.
    """
    if agreement_id is not None and find_owner(conn, agreement_id) != principal:
        raise NotFound(as_typed("agreement", agreement_id))
    ends = read_ends(conn, principal, brussels_day(now), now)
    over = [each for each in _by_end(ends) if agreement_id in (None, each.agreement_id)]
    if not over:
        raise RetentionRefused(Ref("rule", "AGREEMENT_IN_FORCE"))
    wanting = [each for each in over if each.end_choice == "return"]
    if not wanting:
        raise RetentionRefused(Ref("rule", "NOTHING_TO_RETURN"), Ref("agreement", over[-1].agreement_id))
    return ends, next(iter(_not_returned(conn, wanting)), wanting[-1])


def find_returning(conn: Connection, principal: Principal, now: datetime) -> list[str]:
    """Ids of the ended agreements whose data has to go back first."""
    wanting = [
        each for each in _by_end(read_ends(conn, principal, brussels_day(now), now)) if each.end_choice == "return"
    ]
    return [each.agreement_id for each in _not_returned(conn, wanting)]


def _by_end(ends: Ends) -> list[Agreement]:
    return sorted(ends.ended.values(), key=lambda each: (each.valid_to or date.max, each.agreement_id))


def _not_returned(conn: Connection, ended: list[Agreement]) -> list[Agreement]:
    return [each for each in ended if store.find_returned(conn, each) is None]
