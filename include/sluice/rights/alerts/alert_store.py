"""Messages to the desk in PostgreSQL: stored with what was taken into them, and which of them which way owes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid5

from sluice.db import Connection, transaction
from sluice.locks import About, lock_until_commit
from sluice.rights.alerts.due import Look
from sluice.rights.mail.due import NUMBERS
from sluice.rights.mail.model import MailKind

MOST_LINES = 20
"""Of one message; the rest is counted."""
MOST = 10_000
"""Taken into one message. What is beyond is in its count, and is taken into the next one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the desk. ``number``: UUID, a function of what was taken into it."""

    number: str
    kind: MailKind
    lines: tuple[str, ...]


def number_of(kind: MailKind, abouts: Iterable[str]) -> str:
    """The number of the message that tells these."""
    return str(uuid5(NUMBERS, "/".join((kind, *sorted(abouts)))))


def store_message(conn: Connection, kind: MailKind, look: Look, ways: Iterable[str], now: datetime) -> bool:
    """Store one message of what was not told yet, the oldest first, owed by these ways; False when nothing is new."""
    with transaction(conn):
        lock_until_commit(conn, About.ALERTS, kind.value)
        rows = conn.execute(
            f"""select d.about, d.line, d.at, count(*) over () as untold from ({look.query}) d
                where not exists (select from desk_alert a where a.kind = %(kind)s and a.about = d.about)
                order by d.at, d.about limit %(most)s""",
            {**look.values, "kind": kind.value, "most": MOST},
        ).fetchall()
        if not rows:
            return False
        abouts, lines = [row["about"] for row in rows], [row["line"] for row in rows[:MOST_LINES]]
        if rest := rows[0]["untold"] - len(lines):
            lines.append(f"and {rest} more")
        number = number_of(kind, abouts)
        conn.execute("insert into desk_message values (%s, %s, %s, %s)", (number, kind.value, lines, now))
        conn.execute(
            """insert into desk_alert (kind, about, at, number)
               select %s, about, at, %s::uuid from unnest(%s::text[], %s::timestamptz[]) as each (about, at)""",
            (kind.value, number, abouts, [row["at"] for row in rows]),
        )
        if look.taken:
            conn.execute(look.taken, {"abouts": abouts})
        conn.execute(
            "insert into mail (number, kind, way) select %s::uuid, %s, way from unnest(%s::text[]) as each (way)",
            (number, kind.value, list(ways)),
        )
    return True


def list_owed(conn: Connection, way: str, limit: int) -> list[Message]:
    """Messages that this way did not take and that are due, the oldest first."""
    rows = conn.execute(
        """select number::text, d.kind, lines from mail m join desk_message d using (number)
           where way = %s and sent_at is null and next_attempt_at <= now() order by stored_at, number limit %s""",
        (way, limit),
    ).fetchall()
    return [Message(row["number"], MailKind(row["kind"]), tuple(row["lines"])) for row in rows]
