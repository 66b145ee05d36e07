"""Put an answer where a controller fetches it: after its receipt, with its last day in the catalogue."""

from functools import partial

from sluice.documents.receipt import make_receipt_for_other
from sluice.exchange.catalogue import find_copies, insert_delivered, is_gone
from sluice.exchange.effects.deliver import TYPES
from sluice.exchange.effects.given import give_receipt
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.model import Opened
from sluice.exchange.naming import is_sent_on, receipt_bucket, receipt_stem
from sluice.lake.quarantine import unseal_bytes
from sluice.ledger.copy_kinds import ANSWER_KEPT, HANDED
from sluice.ledger.model import Entry
from sluice.ledger.record import CopyLine, ExchangeRecord
from sluice.media_types import OCTETS, ZIP

SEALED_END = ".age"
"""Ending of a kept package that is sealed to the principal's own key; one under PGP is kept as it goes."""


def hand_over(house: House, opened: Opened, record: ExchangeRecord, entry: Entry) -> None:
    """Put the receipt, then the package, so that the package is never there without it. Doing it again changes nothing.

    The package is put under the lock of its key, so an erasure that removes it comes before or after. A package that
    was removed before is not put any more, and one that was taken from its receiver is not put again. Raises NotFound
    while there is no receipt.
    """
    _give_receipt(house, opened, record, entry)
    with hold_object(house.conn, opened.bucket, opened.key):
        copies = {copy.kind: copy for copy in find_copies(house.conn, opened.exchange_id)}
        kept = copies.get(ANSWER_KEPT)
        if kept is not None and not is_gone(house.conn, opened.exchange_id, HANDED):
            _put(house, opened, kept)
        elif HANDED not in copies:  # a worker put it and died, and then an erasure took it or what it was made of
            house.objects.delete_others(opened.bucket, opened.key, frozenset())


def _give_receipt(house: House, opened: Opened, record: ExchangeRecord, entry: Entry) -> None:
    """Put the receipt beside the package, as it was given.

    The receipt of a package that is sent on stays with us; the next controller gets one with what it may read of it.
    """
    bucket, stem, beside = receipt_bucket(house.settings, opened), receipt_stem(opened), f"{opened.key}.receipt"
    given = {end: house.objects.read(bucket, f"{stem}.{end}") for end in ("pdf", "json")}
    if is_sent_on(opened):
        make = partial(make_receipt_for_other, record, entry, house.keyring, record.who.language)
        give_receipt(house, opened.bucket, beside, entry, make)
        return
    for end, content in given.items():
        house.objects.put_once(opened.bucket, f"{beside}.{end}", content, TYPES[end])


def _put(house: House, opened: Opened, kept: CopyLine) -> None:
    """Put the package at its key, in clear or encrypted to its receiver, and its line into the catalogue."""
    content = house.objects.read(kept.bucket, kept.key, kept.version_id)
    if kept.key.endswith(SEALED_END):
        content = unseal_bytes(content, house.keyring, opened.principal)
    stored = house.objects.put_once(opened.bucket, opened.key, content, ZIP if opened.key.endswith(".zip") else OCTETS)
    told = {"kind": HANDED, "bucket": stored.bucket, "key": stored.key, "version_id": stored.version_id}
    size = {"sha256": stored.sha256 or "", "size_bytes": stored.size_bytes}
    insert_delivered(house.conn, opened.exchange_id, kept.model_copy(update=told | size))
