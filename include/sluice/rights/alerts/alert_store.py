"""Messages to the desk in PostgreSQL: which alerts each contains, and which ways have yet to send it."""

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
"""The most lines in one message; the rest is only counted."""
MOST = 10_000
"""The most alerts taken into one message. The others are in its count, and go into the next message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the desk. ``number``: a UUID computed from its kind and the alerts in it."""

    number: str
    kind: MailKind
    lines: tuple[str, ...]


def number_of(kind: MailKind, abouts: Iterable[str]) -> str:
    """Return the number of the message with these alerts."""
    return str(uuid5(NUMBERS, "/".join((kind, *sorted(abouts)))))


def store_message(conn: Connection, kind: MailKind, look: Look, ways: Iterable[str], now: datetime) -> bool:
    """Store one message about the oldest alerts that were not told yet, to be sent by each of these ways.

    Returns False when there is nothing new.
    """
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
    """Return the messages that this way still has to send and that are due now, oldest first."""
    rows = conn.execute(
        """select number::text, d.kind, lines from mail m join desk_message d using (number)
           where way = %s and sent_at is null and next_attempt_at <= now() order by stored_at, number limit %s""",
        (way, limit),
    ).fetchall()
    return [Message(row["number"], MailKind(row["kind"]), tuple(row["lines"])) for row in rows]
