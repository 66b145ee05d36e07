"""Lineage events that have not gone out: how many, why, and how refused ones are sent once more."""

from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.exchange.outbox import LINEAGE


@dataclass(frozen=True, slots=True)
class Owed:
    """Unsent events of exchanges that were opened before a moment.

    ``refused``: events that are no longer tried by themselves. ``codes``: of the last tries that failed; empty if all
    events are merely on their way.
    """

    refused: int
    waiting: int
    codes: tuple[str, ...]

    @property
    def line(self) -> str:
        """How many there are and why, in words; empty if none failed."""
        if not self.codes:
            return ""
        return f"{self.refused} refused, {self.waiting} waiting, {' '.join(self.codes)}"


def find_owed(conn: Connection, since: datetime) -> Owed:
    """Return what is owed to the receiver for exchanges that were opened before ``since``."""
    row = conn.execute(
        """select count(*) filter (where o.next_attempt_at = 'infinity') as refused,
               count(*) filter (where o.next_attempt_at < 'infinity') as waiting,
               coalesce(array_agg(distinct o.last_error) filter (where o.last_error is not null), '{}') as codes
           from outbox o join exchange e using (exchange_id)
           where o.done_at is null and o.effect = any(%s) and e.opened_at < %s""",
        (list(LINEAGE), since),
    ).fetchone()
    return Owed(row["refused"], row["waiting"], tuple(sorted(row["codes"]))) if row else Owed(0, 0, ())


def send_again(conn: Connection) -> int:
    """Let the next round of effects try every refused event as if it were new; return how many."""
    return conn.execute(
        """update outbox set next_attempt_at = now(), attempts = 0
           where done_at is null and effect = any(%s) and next_attempt_at = 'infinity'""",
        (list(LINEAGE),),
    ).rowcount
