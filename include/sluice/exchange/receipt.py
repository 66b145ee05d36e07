"""Read a receipt as it was given: the bytes that lie in the principal's prefix, which it can read and not write."""

from typing import Literal

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.exchange.naming import receipt_bucket, receipt_stem
from sluice.exchange.read import show_exchange
from sluice.exchange.store import get_opened
from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings


def read_receipt(
    settings: Settings, conn: Connection, objects: ObjectStore, exchange_id: str, form: Literal["pdf", "json"]
) -> bytes:
    """The receipt of an exchange, for people or signed. Raises NotFound while it was not given yet."""
    opened = get_opened(conn, exchange_id)
    if show_exchange(conn, exchange_id).line.receipt_at is None:
        raise NotFound(Ref("receipt of exchange", exchange_id))
    bucket, stem = receipt_bucket(settings, opened), receipt_stem(opened)
    return objects.read(bucket, f"{stem}.{form}")
