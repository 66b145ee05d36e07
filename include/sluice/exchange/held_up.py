"""Exchanges that wait for us: for the database, the store, a paper or a key. None is given up, so we tell somebody.

They are met again every fifteen seconds without counting an attempt, and everything beside them goes on. Whoever is
told of them is also told of lineage events that do not go out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sluice.db import Connection
from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.outbox import find_owed
from sluice.exchange.persons.suppressed import SuppressedMeanwhile
from sluice.exchange.stop_store import IS_STOPPED, find_stops
from sluice.exchange.stops import FlowIsStopped

HEARD_AFTER = timedelta(minutes=2)
"""Exchanges are reported only after this time: what passes by itself has passed by then."""
PASSING = (SuppressedMeanwhile.code, FlowIsStopped.code)
"""Codes of a right or a stop that came between, which end with the next attempt."""
LONG_STOPPED = timedelta(days=7)
"""A stop is reported after this time: long before what the flow should give is past its retention, which is a month
unless a contract says less."""


class FilesHeldUp(SluiceError):
    code: ClassVar[str] = "SLU-207"
    summary: ClassVar[str] = (
        "exchanges or lineage events wait for a service, a paper or a key, or a flow is stopped for a week"
    )
    cure: ClassVar[str] = (
        "the code beside each says for what; they are taken up by themselves when it is there, "
        "but events that were refused by `sluice lineage again`, and a stopped flow by `sluice exchange resume`"
    )
    exit: ClassVar[Exit] = Exit.UNDECIDED


@dataclass(frozen=True, slots=True)
class HeldUp:
    """How many exchanges of a flow wait for the same thing."""

    principal: str
    flow: str
    code: str
    count: int


def find_held_up(conn: Connection, now: datetime) -> list[HeldUp]:
    """Count the exchanges that wait for us, by flow and code.

    They were opened more than two minutes ago, and their last attempt ended in a fault of ours. Stopped flows are left
    out.
    """
    rows = conn.execute(
        f"""select principal, flow, last_error as code, count(*) from exchange
           where decision = 'open' and is_held_up and last_error <> all(%s) and opened_at < %s and not {IS_STOPPED}
           group by 1, 2, 3 order by 1, 2, 3""",
        (list(PASSING), now - HEARD_AFTER),
    ).fetchall()
    return [HeldUp(**row) for row in rows]


def check_none_held_up(conn: Connection, now: datetime) -> None:
    """Raises FilesHeldUp when anything waits for us.

    It names flows and codes, how many lineage events wait, and flows that were stopped long ago.
    """
    held_up = ", ".join(f"{each.count} of {each.principal}/{each.flow} {each.code}" for each in find_held_up(conn, now))
    owed = find_owed(conn, now - HEARD_AFTER).line
    stopped = ", ".join(
        f"{each.principal}/{each.flow}" for each in find_stops(conn) if each.stopped_at < now - LONG_STOPPED
    )
    lines = (("exchanges", held_up), ("lineage events", owed), ("stopped", stopped))
    if told := [Ref(what, line) for what, line in lines if line]:
        raise FilesHeldUp(*told)
