"""Exchanges that wait for us: for the database, the store, a paper or a key. None is given up, so somebody must hear.

They are met again every fifteen seconds and take no attempt, and what is beside them goes on. Whoever hears of them
hears of the lineage events that do not go out as well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sluice.db import Connection
from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.owed import find_owed
from sluice.exchange.persons.suppressed import SuppressedMeanwhile
from sluice.exchange.stop_store import IS_STOPPED, find_stops
from sluice.exchange.stops import FlowStopped

HEARD_AFTER = timedelta(minutes=2)
"""What passes by itself has passed by then."""
PASSING = (SuppressedMeanwhile.code, FlowStopped.code)
"""A right or a stop that came between: it ends with the next attempt."""
LONG_STOPPED = timedelta(days=7)
"""Long before what a stopped flow shall give is past its retention, which is a month where a contract says no less."""


class FilesHeld(SluiceError):
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
class Held:
    """How many exchanges of a flow wait for the same."""

    principal: str
    flow: str
    code: str
    count: int


def find_held(conn: Connection, now: datetime) -> list[Held]:
    """What was opened before two minutes and ended its last attempt in a fault of ours; nothing of a stopped flow."""
    rows = conn.execute(
        f"""select principal, flow, last_error as code, count(*) from exchange
           where decision = 'open' and is_held_up and last_error <> all(%s) and opened_at < %s and not {IS_STOPPED}
           group by 1, 2, 3 order by 1, 2, 3""",
        (list(PASSING), now - HEARD_AFTER),
    ).fetchall()
    return [Held(**row) for row in rows]


def check_none_held(conn: Connection, now: datetime) -> None:
    """Raises FilesHeld where anything waits for us, naming flows and codes, how many lineage events, and long stops."""
    held = ", ".join(f"{each.count} of {each.principal}/{each.flow} {each.code}" for each in find_held(conn, now))
    owed = find_owed(conn, now - HEARD_AFTER).line
    stopped = ", ".join(
        f"{each.principal}/{each.flow}" for each in find_stops(conn) if each.stopped_at < now - LONG_STOPPED
    )
    lines = (("exchanges", held), ("lineage events", owed), ("stopped", stopped))
    if told := [Ref(what, line) for what, line in lines if line]:
        raise FilesHeld(*told)
