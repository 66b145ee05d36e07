"""Find something by its id or the beginning of its id: one rule for exchanges, cases, notices and holds."""

from uuid import UUID

from sluice.db import Connection
from sluice.errors import Ambiguous, NotFound, as_typed, is_beginning

FIRST, LAST = str(UUID(int=0)), str(UUID(int=2**128 - 1))


def get_by_beginning(conn: Connection, kind: str, named: str, among: str) -> str:
    """Return the one id that begins with ``named``: one character or more, with its hyphens, in lower or upper case.

    ``kind``: what it is, for the error. ``among``: SQL that selects the ids (uuid) that count, as ``id``. Raises
    NotFound if none begins so, and Ambiguous if several do. Text that begins no id at all is not repeated in the error.
    """
    begun = named.lower()
    found = _beginning(conn, begun, among) if is_beginning(begun) else []
    if len(found) == 1:
        return found[0]
    raise (Ambiguous if found else NotFound)(as_typed(kind, begun))


def _beginning(conn: Connection, begun: str, among: str) -> list[str]:
    """Return at most two ids: more would tell nothing more."""
    rows = conn.execute(
        f"select id::text as id from ({among}) as there where id between %s::uuid and %s::uuid limit 2".encode(),
        tuple(begun + whole[len(begun) :] for whole in (FIRST, LAST)),
    ).fetchall()
    return [row["id"] for row in rows]
