"""Which mails were sent, in PostgreSQL."""

from sluice.db import Connection
from sluice.rights.mail_model import Mail


def begin_mail(conn: Connection, mail: Mail) -> bool:
    """Take one mail: it is due again later (5 s, doubling to ten minutes) unless it gets sent.

    False when it was sent, or another worker took it. Nothing is locked while it is handed over.
    """
    row = conn.execute(
        """insert into mail (number, kind, attempts, next_attempt_at) values (%s, %s, 1, now() + interval '10 seconds')
           on conflict (number) do update set attempts = mail.attempts + 1,
               next_attempt_at = now()
                   + least(interval '10 minutes', interval '5 seconds' * (2 ^ least(mail.attempts, 9)))
           where mail.sent_at is null and mail.next_attempt_at <= now() returning 1""",
        (mail.number, mail.kind.value),
    ).fetchone()
    return row is not None


def end_mail(conn: Connection, mail: Mail) -> None:
    """The server took it."""
    conn.execute("update mail set sent_at = now(), last_error = null where number = %s", (mail.number,))


def note_mail_error(conn: Connection, mail: Mail, code: str) -> None:
    """Why a mail was not sent this time."""
    conn.execute("update mail set last_error = %s where number = %s and sent_at is null", (code, mail.number))


def count_unsent(conn: Connection) -> int:
    """Mails that were tried and not sent."""
    row = conn.execute("select count(*) as n from mail where sent_at is null").fetchone()
    return int(row["n"]) if row else 0
