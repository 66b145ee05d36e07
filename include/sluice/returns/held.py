"""The rows held back from a return, for the supervisor who has to look into them."""

import io
from dataclasses import dataclass

from sluice.errors import NotFound, Ref
from sluice.exchange.catalogue import find_copies
from sluice.exchange.house import House
from sluice.exchange.read import show_exchange
from sluice.exchange.store import is_open
from sluice.lake_columns import EXCHANGE, ROW
from sluice.ledger.copy_kinds import HELD_BACK
from sluice.returns.store import find_prepared
from sluice.terms import ExchangeId


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held row: its place in the results, why it is held, and the reference of its agent."""

    results_exchange: str
    row: int
    reason: str
    agent_ref: str | None


def list_held(house: House, named: str) -> list[HeldRow]:
    """Held rows of one return, by reason; also of a return that still waits for release.

    Raises NotFound if there is no such list, or no longer.
    """
    exchange_id = ExchangeId(show_exchange(house.conn, named).line.id)
    rows = find_held(house, exchange_id)
    if rows is None:
        raise NotFound(Ref("held rows of exchange", exchange_id))
    return rows


def find_held(house: House, exchange_id: ExchangeId) -> list[HeldRow] | None:
    """Like :func:`list_held`, by id; None if there is no such list, or no longer: it is kept for some weeks."""
    import polars as pl

    waiting = find_prepared(house.conn, exchange_id) if is_open(house.conn, exchange_id) else None
    copies = waiting.how_long.copies if waiting else find_copies(house.conn, exchange_id)
    copy = next((copy for copy in copies if copy.kind == HELD_BACK), None)
    if copy is None:
        return None
    frame = pl.read_csv(io.BytesIO(house.objects.read(copy.bucket, copy.key, copy.version_id)), infer_schema=False)
    rows = frame.sort("reason", EXCHANGE).select(EXCHANGE, ROW, "reason", "agent_ref")
    return [HeldRow(exchange, int(row), reason, agent) for exchange, row, reason, agent in rows.iter_rows()]
