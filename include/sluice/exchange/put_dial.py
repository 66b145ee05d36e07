"""Put a dial list where agents' platforms take it: after its receipt, with its last day in the catalogue."""

from sluice.errors import NotFound, Ref
from sluice.exchange.catalogue import get_copy, insert_delivered
from sluice.exchange.deliver import OTHER, TYPES
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.naming import receipt_bucket, receipt_stem

KEPT, DIALLED = "dial.kept", "dial"
"""Kinds of the copy that waits for its receipt, and of the one that agents get."""


def put_dial(house: House, opened: Opened) -> None:
    """Copy the kept list to its key in the agents' bucket. Raises NotFound while there is no receipt."""
    receipt = house.objects.head(receipt_bucket(house.settings, opened), f"{receipt_stem(opened)}.json")
    if receipt is None:
        raise NotFound(Ref("receipt of exchange", opened.exchange_id))
    kept = get_copy(house.conn, opened.exchange_id, KEPT)
    content = house.objects.read(kept.bucket, kept.key, kept.version_id)
    kind = TYPES.get(opened.key.rpartition(".")[2], OTHER)
    stored = house.objects.put_once(opened.bucket, opened.key, content, kind)
    copy = kept.model_copy(
        update={"kind": DIALLED, "bucket": stored.bucket, "key": stored.key, "version_id": stored.version_id}
    )
    insert_delivered(house.conn, opened.exchange_id, copy)
