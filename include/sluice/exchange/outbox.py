"""The outbox: effects of committed entries that are still to do. SQL; nothing here decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.db import Connection
from sluice.terms import ExchangeId

AFTER_RECEIPT = ("delivery", "dial")
"""Effects that put something where others read it: no receipt, no transfer."""
LINEAGE = STARTED, ENDED, CHANGED = "lineage.start", "lineage.closed", "lineage.changed"
"""In the order in which a receiver has to hear them."""
LAST = 9
"""Rank behind that of every effect of a closed exchange."""
MOST_AT_ONCE = 1_000
"""Most effects returned at once."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a committed entry that is still to do."""

    exchange_id: ExchangeId
    name: str
    attempts: int


def insert(conn: Connection, exchange_id: str, effects: Sequence[tuple[str, int]]) -> None:
    """Put effects into the outbox (name, rank)."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into outbox (exchange_id, effect, rank) values (%s, %s, %s) on conflict do nothing",
            [(exchange_id, name, rank) for name, rank in effects],
        )


def rearm(conn: Connection, exchange_id: str, effect: str, rank: int) -> None:
    """Put an effect into the outbox, again if it was done before. What is no exchange (an answer) has none."""
    conn.execute(
        """insert into outbox (exchange_id, effect, rank)
           select exchange_id, %s, %s from exchange where exchange_id = %s
           on conflict (exchange_id, effect) do update
           set done_at = null, attempts = 0, next_attempt_at = now(), last_error = null""",
        (effect, rank, exchange_id),
    )


def tell_changed(conn: Connection, exchange_id: str) -> None:
    """Have lineage told which copies of an exchange were edited or removed since it closed.

    Call it in the transaction that changes the catalogue.
    """
    rearm(conn, exchange_id, CHANGED, LAST)


def find_due(conn: Connection, exchange_ids: Sequence[ExchangeId] = ()) -> list[Effect]:
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
    return [Effect(ExchangeId(row["id"]), row["effect"], row["attempts"]) for row in rows]


def begin(conn: Connection, effect: Effect) -> bool:
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
            "id": effect.exchange_id,
            "name": effect.name,
            "after_receipt": list(AFTER_RECEIPT),
            "lineage": list(LINEAGE),
        },
    ).fetchone()
    return row is not None


def end(conn: Connection, effect: Effect) -> None:
    """Note that an effect was done, unless it was asked for again since it began."""
    conn.execute(
        """update outbox set done_at = now(), last_error = null
           where exchange_id = %s and effect = %s and attempts > %s""",
        (effect.exchange_id, effect.name, effect.attempts),
    )


def note_error(conn: Connection, effect: Effect, error: str, most_tries: int | None = None) -> None:
    """Note why an effect failed this time; ``attempts`` counts the tries in a row that failed with the same error.

    After ``most_tries`` of them it is no longer due until somebody asks for it again (owed.py).
    """
    conn.execute(
        """update outbox set last_error = %(error)s,
               attempts = case when last_error = %(error)s then attempts else 1 end,
               next_attempt_at = case when last_error = %(error)s and attempts >= %(most)s then 'infinity'
                                      else next_attempt_at end
           where exchange_id = %(id)s and effect = %(name)s and done_at is null""",
        {"error": error, "most": most_tries, "id": effect.exchange_id, "name": effect.name},
    )
