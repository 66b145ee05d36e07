"""The outbox: effects of committed entries that are still to do. SQL; nothing here decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from sluice.db import Connection
from sluice.terms import ExchangeId


class Effect(StrEnum):
    """What has to follow a committed entry, as the outbox names it.

    ``rank``: place in the order in which the effects of one exchange are done; lineage goes after all others, in this
    order as well. No exchange has two effects of the same rank.
    """

    rank: int

    STARTED = "lineage.start", 1
    FINDINGS = "findings", 2
    RECEIPT = "receipt", 3
    DELIVERY = "delivery", 4
    DIAL = "dial", 4
    ENDED = "lineage.closed", 5
    SWEEP = "sweep", 6
    REVIEW = "review", 7
    CHANGED = "lineage.changed", 9

    def __new__(cls, text: str, rank: int) -> Self:
        member = str.__new__(cls, text)
        member._value_, member.rank = text, rank
        return member


AFTER_RECEIPT = (Effect.DELIVERY, Effect.DIAL)
"""Effects that put something where others read it: no receipt, no transfer."""
LINEAGE = (Effect.STARTED, Effect.ENDED, Effect.CHANGED)
"""In the order in which a receiver has to hear them."""
MOST_AT_ONCE = 1_000
"""Most effects returned at once."""


@dataclass(frozen=True, slots=True)
class Due:
    """One effect of a committed entry that is still to do.

    ``name``: the text of an :class:`Effect`, or one that only a newer version knows.
    """

    exchange_id: ExchangeId
    name: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Owed:
    """Unsent lineage events of exchanges that were opened before a moment.

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


def insert(conn: Connection, exchange_id: str, effects: Iterable[Effect]) -> None:
    """Put effects into the outbox."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into outbox (exchange_id, effect, rank) values (%s, %s, %s) on conflict do nothing",
            [(exchange_id, effect, effect.rank) for effect in effects],
        )


def rearm(conn: Connection, exchange_id: str, effect: Effect) -> None:
    """Put an effect into the outbox, again if it was done before. What is no exchange (an answer) has none."""
    conn.execute(
        """insert into outbox (exchange_id, effect, rank)
           select exchange_id, %s, %s from exchange where exchange_id = %s
           on conflict (exchange_id, effect) do update
           set done_at = null, attempts = 0, next_attempt_at = now(), last_error = null""",
        (effect, effect.rank, exchange_id),
    )


def tell_changed(conn: Connection, exchange_id: str) -> None:
    """Have lineage told which copies of an exchange were edited or removed since it closed.

    Call it in the transaction that changes the catalogue.
    """
    rearm(conn, exchange_id, Effect.CHANGED)


def find_due(conn: Connection, exchange_ids: Sequence[ExchangeId] = ()) -> list[Due]:
    """Return the effects to do now, of these exchanges or of all: lowest rank first, but lineage after everything else.

    What follows in lineage is left out while its START waits: a thousand of those would hide all that comes after.
    """
    rows = conn.execute(
        """select exchange_id::text as id, effect, attempts from outbox
           where done_at is null and next_attempt_at <= now()
             and (%(ids)s::uuid[] is null or exchange_id = any(%(ids)s::uuid[]))
             and (effect <> all(%(last)s) or not exists (select from outbox as before
                  where before.exchange_id = outbox.exchange_id and before.effect = any(%(last)s)
                    and before.rank < outbox.rank and before.done_at is null and before.next_attempt_at > now()))
           order by effect = any(%(last)s), exchange_id, rank limit %(limit)s""",
        {
            "ids": list(exchange_ids) or None,
            "limit": MOST_AT_ONCE,
            "last": list(LINEAGE),
        },
    ).fetchall()
    return [Due(ExchangeId(row["id"]), row["effect"], row["attempts"]) for row in rows]


def begin(conn: Connection, due: Due) -> bool:
    """Take one effect: it is due again later (5 s, doubling to ten minutes) unless it gets done.

    Return False when another worker took it, when it is done, or when what has to come first (the receipt, what lineage
    has to hear before) is not done: whoever does that will also do this one, or somebody after them. Nothing is locked
    while the effect runs, and an effect that kills its worker cannot keep the others waiting.
    """
    row = conn.execute(
        """update outbox set attempts = attempts + 1,
               next_attempt_at = now() + least(interval '10 minutes', interval '5 seconds' * (2 ^ least(attempts, 9)))
           where exchange_id = %(id)s and effect = %(name)s and done_at is null and next_attempt_at <= now()
             and (effect <> all(%(after_receipt)s)
                  or exists (select from exchange where exchange_id = %(id)s and receipt_at is not null))
             and (effect <> all(%(lineage)s)
                  or not exists (select from outbox as before where before.exchange_id = %(id)s
                                 and before.effect = any(%(lineage)s) and before.rank < outbox.rank
                                 and before.done_at is null))
           returning 1""",
        {
            "id": due.exchange_id,
            "name": due.name,
            "after_receipt": list(AFTER_RECEIPT),
            "lineage": list(LINEAGE),
        },
    ).fetchone()
    return row is not None


def end(conn: Connection, due: Due) -> None:
    """Note that an effect was done, unless it was asked for again since it began."""
    conn.execute(
        """update outbox set done_at = now(), last_error = null
           where exchange_id = %s and effect = %s and attempts > %s""",
        (due.exchange_id, due.name, due.attempts),
    )


def note_error(conn: Connection, due: Due, error: str, most_tries: int | None = None) -> None:
    """Note why an effect failed this time; ``attempts`` counts the tries in a row that failed with the same error.

    After ``most_tries`` of them it is no longer due until somebody asks for it again (:func:`send_again`).
    """
    conn.execute(
        """update outbox set last_error = %(error)s,
               attempts = case when last_error = %(error)s then attempts else 1 end,
               next_attempt_at = case when last_error = %(error)s and attempts >= %(most)s then 'infinity'
                                      else next_attempt_at end
           where exchange_id = %(id)s and effect = %(name)s and done_at is null""",
        {"error": error, "most": most_tries, "id": due.exchange_id, "name": due.name},
    )


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
