"""Append to the ledger: canonical bytes, chained by the database, in the caller's transaction."""

from collections.abc import Sequence

import rfc8785
from psycopg.pq import TransactionStatus

from sluice.db import Connection
from sluice.errors import Ref
from sluice.ledger.model import BodyNotCanonical, Entry, EntryKind, LedgerMisused
from sluice.ledger.record import Part
from sluice.ledger.store import insert_entries
from sluice.terms import ExchangeId


def append(conn: Connection, *, chain: str, kind: EntryKind, exchange_id: ExchangeId | None, body: Part) -> Entry:
    """Add one entry to ``chain``; it exists when the caller's transaction commits.

    Appending the same exchange, kind and body again returns the existing entry (``is_new`` False).
    Another body raises DatabaseError with constraint ``entry_exchange_kind``. The chain stays locked
    until the transaction ends, so append last.

    Raises LedgerMisused outside a transaction, BodyNotCanonical for a body without canonical form.
    """
    return append_many(conn, chain=chain, kind=kind, bodies=[(exchange_id, body)])[0]


def append_many(
    conn: Connection, *, chain: str, kind: EntryKind, bodies: Sequence[tuple[ExchangeId | None, Part]]
) -> list[Entry]:
    """Add one entry per ``(exchange_id, body)``, in order and in one round trip; otherwise like :func:`append`."""
    if conn.info.transaction_status is not TransactionStatus.INTRANS:
        raise LedgerMisused(Ref("call", "append"), Ref("transaction", conn.info.transaction_status.name.lower()))
    return insert_entries(
        conn, chain, kind, [exchange_id for exchange_id, _ in bodies], [canonical(body) for _, body in bodies]
    )


def canonical(body: Part) -> bytes:
    """The canonical JSON of a record, which is stored, hashed and signed (RFC 8785). Raises BodyNotCanonical."""
    try:
        return rfc8785.dumps(body.model_dump(mode="json"))
    except ValueError:
        pass
    raise BodyNotCanonical(Ref("record", type(body).__name__))
