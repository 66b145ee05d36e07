"""Exchanges that wait for us: for the database, the store, a paper or a key. None is given up, so somebody must hear.

They are met again every fifteen seconds and take no attempt, and what is beside them goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sluice.db import Connection
from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.drain import OURS
from sluice.exchange.suppressed import SuppressedMeanwhile

HEARD_AFTER = timedelta(minutes=2)
"""What passes by itself has passed by then."""


class FilesHeld(SluiceError):
    code: ClassVar[str] = "SLU-207"
    summary: ClassVar[str] = "exchanges wait for a service, a paper or a key"
    cure: ClassVar[str] = "the code beside each flow says for what; they are taken up by themselves when it is there"
    exit: ClassVar[Exit] = Exit.UNDECIDED


@dataclass(frozen=True, slots=True)
class Held:
    """How many exchanges of a flow wait for the same."""

    principal: str
    flow: str
    code: str
    count: int


def find_held(conn: Connection, now: datetime) -> list[Held]:
    """What was opened before two minutes and ended its last attempt in a fault of ours."""
    rows = conn.execute(
        """select principal, flow, last_error as code, count(*) from exchange
           where decision = 'open' and last_error = any(%s) and opened_at < %s
           group by 1, 2, 3 order by 1, 2, 3""",
        (sorted(_codes()), now - HEARD_AFTER),
    ).fetchall()
    return [Held(**row) for row in rows]


def check_none_held(conn: Connection, now: datetime) -> None:
    """Raises FilesHeld where anything waits for us, naming flows and codes."""
    if held := find_held(conn, now):
        told = ", ".join(f"{each.count} of {each.principal}/{each.flow} {each.code}" for each in held)
        raise FilesHeld(Ref("exchanges", told))


def _codes() -> Iterator[str]:
    """Of all faults of ours; but a right that came between ends with the next attempt."""
    waiting: list[type[SluiceError]] = list(OURS)
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not SuppressedMeanwhile:
            yield kind.code
