"""The SQL of reviews: rows held for their notes, and what was decided on each."""

from collections.abc import Iterable, Sequence

from sluice.db import Connection
from sluice.exchange.review_model import Choice, Review
from sluice.terms import ExchangeId, Principal

COLUMNS = (
    "exchange_id::text as exchange_id, number, decision, rows, decided_by, decided_at, bucket, key, sha256, put_at"
)

_OPEN = """rows_to_review > 0 and exists (select from copy c where c.exchange_id = e.exchange_id
    and c.kind = 'quarantine.held' and c.gone_at is null)"""
"""SQL: rows wait for a decision. Past their retention the rows are gone, and nobody can decide on them any more."""


def insert_review(conn: Connection, review: Review) -> None:
    """Add one decision."""
    conn.execute(
        """insert into review (exchange_id, number, decision, rows, decided_by, decided_at, bucket, key)
           values (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            review.exchange_id,
            review.number,
            review.choice.value,
            list(review.rows),
            review.decided_by,
            review.decided_at,
            review.bucket,
            review.key,
        ),
    )


def find_reviews(conn: Connection, exchange_ids: Iterable[str]) -> list[Review]:
    """Decisions about rows of these exchanges, in their order."""
    return _found(conn, "exchange_id = any(%s::uuid[]) order by exchange_id, number", (list(exchange_ids),))


def find_by_file(conn: Connection, bucket: str, key: str) -> Review | None:
    """The decision whose rows come back in this file, or None."""
    return next(iter(_found(conn, "bucket = %s and key = %s", (bucket, key))), None)


def note_file(conn: Connection, review: Review, sha256: str) -> None:
    """Note which bytes will be put. Call before they are put."""
    conn.execute(
        "update review set sha256 = %s where exchange_id = %s and number = %s",
        (sha256, review.exchange_id, review.number),
    )


def note_put(conn: Connection, review: Review) -> None:
    """Note that the file was put, or that nothing is left to put."""
    conn.execute(
        "update review set put_at = now() where exchange_id = %s and number = %s", (review.exchange_id, review.number)
    )


def find_with_held_rows(conn: Connection, principal: Principal | None) -> list[ExchangeId]:
    """Accepted arrivals of which rows are held, newest first."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where rows_held > 0 and direction in ('inbound', 'internal')
             and (%(principal)s::text is null or principal = %(principal)s)
           order by opened_at desc, exchange_id""",
        {"principal": principal},
    ).fetchall()
    return [ExchangeId(row["id"]) for row in rows]


def find_open(conn: Connection, limit: int) -> list[ExchangeId]:
    """Exchanges with rows on whose notes nobody has decided yet, the oldest first."""
    rows = conn.execute(
        f"""select exchange_id::text as id from exchange e where {_OPEN}
            order by opened_at, exchange_id limit %s""".encode(),
        (limit,),
    ).fetchall()
    return [ExchangeId(row["id"]) for row in rows]


def count_open(conn: Connection) -> int:
    """Count the exchanges of :func:`find_open`."""
    row = conn.execute(f"select count(*) as n from exchange e where {_OPEN}".encode()).fetchone()
    return int(row["n"]) if row else 0


def note_reviewed(conn: Connection, exchange_id: ExchangeId, rows: int) -> None:
    """Note that so many rows of an exchange no longer wait. Its row must be locked."""
    conn.execute("update exchange set rows_to_review = rows_to_review - %s where exchange_id = %s", (rows, exchange_id))


def count_left(conn: Connection, exchange_id: ExchangeId) -> int:
    """How many rows of an exchange wait for a decision; none once they are past their retention."""
    row = conn.execute(
        f"select rows_to_review as n from exchange e where {_OPEN} and exchange_id = %s".encode(), (exchange_id,)
    ).fetchone()
    return int(row["n"]) if row else 0


def note_left(conn: Connection, exchange_id: ExchangeId, rows: int) -> None:
    """Note how many rows of an exchange still wait. Its row must be locked."""
    conn.execute("update exchange set rows_to_review = %s where exchange_id = %s", (rows, exchange_id))


def _found(conn: Connection, where: str, values: Sequence[object]) -> list[Review]:
    rows = conn.execute(f"select {COLUMNS} from review where {where}".encode(), values).fetchall()
    return [
        Review(
            exchange_id=ExchangeId(row["exchange_id"]),
            number=row["number"],
            choice=Choice(row["decision"]),
            rows=tuple(row["rows"]),
            decided_by=row["decided_by"],
            decided_at=row["decided_at"],
            bucket=row["bucket"],
            key=row["key"],
            sha256=row["sha256"],
            put_at=row["put_at"],
        )
        for row in rows
    ]
