"""Record in PostgreSQL which mails were sent, and which messages to the desk by which way."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sluice.db import Connection

MAIL = "mail"
"""The way of every mail about a notice or a case."""
HOLD = timedelta(minutes=10)
"""How long a worker keeps a mail to itself: longer than an SMTP conversation in which every step times out."""
TRIED_WITHIN = timedelta(minutes=30)
"""What is still owed is tried again within this time: a pause of ten minutes at most, and then the next task."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Mails or messages of one way that were tried and not sent; ``codes``: of the last tries, with spaces between."""

    way: str
    count: int
    codes: str


def count_failed(conn: Connection) -> list[Failed]:
    """Count what was tried and not sent, by way; not what nobody tries any more, because its case is over."""
    rows = conn.execute(
        """select way, count(*), string_agg(distinct last_error, ' ' order by last_error) as codes
           from mail where sent_at is null and last_error is not null and next_attempt_at > now() - %s
           group by way order by way""",
        (TRIED_WITHIN,),
    ).fetchall()
    return [Failed(**row) for row in rows]


def begin_mail(conn: Connection, number: str, kind: str, way: str = MAIL) -> bool:
    """Take a mail for HOLD; False if it was sent, or another worker has it.

    No lock is held while the mail is sent. If the worker dies, the mail is due again after HOLD.
    """
    row = conn.execute(
        """insert into mail (number, way, kind, attempts, next_attempt_at) values (%s, %s, %s, 1, now() + %s)
           on conflict (number, way) do update set attempts = mail.attempts + 1, next_attempt_at = now() + %s
           where mail.sent_at is null and mail.next_attempt_at <= now() returning 1""",
        (number, way, kind, HOLD, HOLD),
    ).fetchone()
    return row is not None


def end_mail(conn: Connection, number: str, way: str = MAIL) -> None:
    """Record that a mail was sent."""
    conn.execute("update mail set sent_at = now(), last_error = null where number = %s and way = %s", (number, way))


def note_mail_error(conn: Connection, number: str, code: str, way: str = MAIL) -> None:
    """Record why a mail was not sent. It is due again after 10 s, doubled with each further try, up to ten minutes."""
    conn.execute(
        """update mail set last_error = %s,
               next_attempt_at = now() + least(interval '10 minutes', interval '5 seconds' * (2 ^ least(attempts, 9)))
           where number = %s and way = %s and sent_at is null""",
        (code, number, way),
    )


def count_unsent(conn: Connection, numbers: Collection[str]) -> int:
    """Count those of these mails that were not sent, whether tried or not."""
    row = conn.execute(
        """select count(*) as n from unnest(%s::uuid[]) as owed (number) where not exists (
               select from mail m where m.number = owed.number and m.way = %s and m.sent_at is not null)""",
        (list(numbers), MAIL),
    ).fetchone()
    return int(row["n"]) if row else 0
