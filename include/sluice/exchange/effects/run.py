"""Do the effects of committed entries: each is a pure function of its entry, done at least once.

Every effect writes keys that are functions of the exchange, so doing one twice changes nothing.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from sluice.documents.receipt import make_receipt
from sluice.errors import UNFORESEEN, NotFound, Ref, told_of
from sluice.exchange import outbox, store
from sluice.exchange.catalogue import find_changed, find_copies
from sluice.exchange.effects.given import give_receipt
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.naming import handed_key, index_key, lake_key, receipt_bucket, receipt_stem, return_key, vault_key
from sluice.exchange.outbox import LINEAGE, Due, Effect
from sluice.exchange.own_writes import find_own_writes, is_own
from sluice.ledger.copy_kinds import FINDINGS, LAKE
from sluice.ledger.model import Entry, EntryKind
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.store import find_entry
from sluice.lineage.model import EventInvalid, EventRefused, ReceiverDown, TargetInvalid
from sluice.media_types import CSV, JSON, PEM
from sluice.terms import Direction, ExchangeId

log = logging.getLogger(__name__)
NOWHERE = (ReceiverDown, TargetInvalid)
"""Faults of the receiver of lineage: the next event would meet the same, so all wait for the next round."""
UNWANTED = (EventRefused, EventInvalid)
"""Faults of a single event, whose bytes are the same at every try."""
MOST_TRIES = 8
"""Most tries of an unwanted event. With the pauses between them they take ten minutes: as long as a receiver that is
being set up, or a proxy before it, may refuse what it takes later. Then the event waits for `sluice lineage again`."""


def do_effects(house: House, *exchange_ids: ExchangeId, lineage: bool = True) -> int:
    """Do the effects that are due, of these exchanges or of all; return how many were done.

    An effect that fails waits, and the others go on. Lineage goes last, and stops for this time when its receiver takes
    nothing: one that hangs would delay every receipt. Without ``lineage`` it is left to the next call.
    """
    done = 0
    for due in outbox.find_due(house.conn, exchange_ids):
        if due.name in LINEAGE and not lineage:
            break
        try:
            done += _try(house, due)
        except NOWHERE as error:
            log.warning("lineage waits: %s", error)
            break
    return done


def _try(house: House, due: Due) -> bool:
    """Do one effect unless another worker does; return False if it was not done.

    Then the reason is noted. Raises what is in NOWHERE.
    """
    if not outbox.begin(house.conn, due):
        return False
    try:
        EFFECTS[due.name](house, due.exchange_id)
        outbox.end(house.conn, due)
        return True
    except NOWHERE as error:
        outbox.note_error(house.conn, due, error.code)
        raise
    except UNWANTED as error:
        log.warning("effect %s of exchange %s waits: %s", due.name, due.exchange_id, error)
        outbox.note_error(house.conn, due, error.code, most_tries=MOST_TRIES)
        return False
    except Exception as error:
        if house.conn.broken:
            raise
        code, said = told_of(error)
        if code == UNFORESEEN:
            log.error("effect %s of exchange %s waits: %s", due.name, due.exchange_id, said)
    outbox.note_error(house.conn, due, code)
    return False


def _closed(house: House, exchange_id: ExchangeId) -> tuple[Entry, ExchangeRecord]:
    entry = _entry(house, exchange_id, EntryKind.EXCHANGE_CLOSED)
    return entry, ExchangeRecord.model_validate_json(entry.body)


def _entry(house: House, exchange_id: ExchangeId, kind: EntryKind) -> Entry:
    entry = find_entry(house.conn, exchange_id, kind)
    if entry is None:
        raise NotFound(Ref("exchange", exchange_id), Ref("entry", kind.value))
    return entry


def _give_receipt(house: House, exchange_id: ExchangeId) -> None:
    """Give the receipt, then put a copy of it beside the data; then mark the data as visible."""
    opened = store.get_opened(house.conn, exchange_id)
    entry, record = _closed(house, exchange_id)
    bucket, stem = receipt_bucket(house.settings, opened), receipt_stem(opened)
    _publish_key(house, bucket, opened)
    make = partial(make_receipt, record, entry, house.keyring, record.who.language)
    receipt = give_receipt(house, bucket, stem, entry, make)
    if any(copy.kind == LAKE for copy in record.how_long.copies):
        house.objects.put_once(house.settings.bucket_lake, lake_key(opened, "_receipt.json"), receipt.jws, JSON)
    store.mark_receipted(house.conn, exchange_id)


def _publish_key(house: House, bucket: str, opened: Opened) -> None:
    """Put the public key beside the receipts. How its fingerprint reaches the principal is agreed on paper."""
    key = f"{opened.principal}/receipts/receipt-key.pem"
    if house.objects.head(bucket, key) is None:
        house.objects.put_converging(bucket, key, house.keyring.public_pem, PEM)


def _give_findings(house: House, exchange_id: ExchangeId) -> None:
    """Put all failing rows (row, rule, code, column; no values) into the principal's own prefix."""
    opened = store.get_opened(house.conn, exchange_id)
    _, record = _closed(house, exchange_id)
    copy = next(line for line in record.how_long.copies if line.kind == FINDINGS)
    content = house.objects.read(copy.bucket, copy.key, copy.version_id)
    bucket = receipt_bucket(house.settings, opened)
    house.objects.put_once(bucket, f"{receipt_stem(opened)}.findings.csv", content, CSV)


def _tell_start(house: House, exchange_id: ExchangeId) -> None:
    from sluice.lineage.emit import emit
    from sluice.lineage.events import start_event

    opened = OpenedRecord.model_validate_json(_entry(house, exchange_id, EntryKind.EXCHANGE_OPENED).body)
    emit(start_event(opened, house.settings), house.settings.lineage_url)


def _tell_closed(house: House, exchange_id: ExchangeId) -> None:
    from sluice.lineage.emit import emit
    from sluice.lineage.events import closed_event

    entry, record = _closed(house, exchange_id)
    emit(closed_event(record, entry.hash.hex(), house.settings), house.settings.lineage_url)


def _tell_changed(house: House, exchange_id: ExchangeId) -> None:
    from sluice.lineage.emit import emit
    from sluice.lineage.events import changed_event

    _, record = _closed(house, exchange_id)
    if changed := find_changed(house.conn, record):
        emit(changed_event(record, changed, datetime.now(UTC), house.settings), house.settings.lineage_url)


def _delete_strays(house: House, exchange_id: ExchangeId) -> None:
    """Remove what earlier tries left before the commit: versions that neither the catalogue nor an erasure names."""
    opened = store.get_opened(house.conn, exchange_id)
    lake, vault = house.settings.bucket_lake, house.settings.bucket_vault
    places = (
        (lake, lake_key(opened, "")),
        (vault, vault_key(opened, "")),
        (lake, index_key(opened)),
        (lake, index_key(opened, ".rest")),
        (lake, return_key(opened, "")),
        (vault, handed_key(opened, "")),
    )
    for bucket, prefix in places:
        there = list(house.objects.list_versions(bucket, prefix))  # before the catalogue: what is put later stays
        own = find_own_writes(house.conn, there)
        named = {(copy.key, copy.version_id) for copy in find_copies(house.conn, exchange_id) if copy.bucket == bucket}
        for item in there:
            if (item.key, item.version_id) in named or item.key.endswith("/_receipt.json"):
                continue
            if not is_own(house.objects, item, own.get((bucket, item.key), ()), with_twins=True):
                house.objects.delete_version(bucket, item.key, item.version_id)


def _deliver(house: House, exchange_id: ExchangeId) -> None:
    from sluice.exchange.effects.deliver import deliver
    from sluice.exchange.effects.hand_over import hand_over

    entry, record = _closed(house, exchange_id)
    opened = store.get_opened(house.conn, exchange_id)
    if opened.direction is Direction.PORTABILITY_ACCESS:
        hand_over(house, opened, record, entry)
    else:
        deliver(house, opened, record, entry.hash.hex())


def _put_dial(house: House, exchange_id: ExchangeId) -> None:
    from sluice.exchange.effects.put_dial import put_dial

    put_dial(house, store.get_opened(house.conn, exchange_id), _closed(house, exchange_id)[1])


def _put_reviewed(house: House, exchange_id: ExchangeId) -> None:
    from sluice.exchange.review import put_reviewed

    put_reviewed(house, exchange_id)


EFFECTS: Mapping[str, Callable[[House, ExchangeId], None]] = {
    Effect.STARTED: _tell_start,
    Effect.FINDINGS: _give_findings,
    Effect.RECEIPT: _give_receipt,
    Effect.DELIVERY: _deliver,
    Effect.DIAL: _put_dial,
    Effect.ENDED: _tell_closed,
    Effect.CHANGED: _tell_changed,
    Effect.SWEEP: _delete_strays,
    Effect.REVIEW: _put_reviewed,
}
