"""Deliver a return: first what explains it, the file last, so that nobody sees a half-done delivery.

Doing it again finds the same bytes there.
"""

from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from functools import partial

from sluice.agreement.in_force.store import get_body
from sluice.agreement.model import Agreement
from sluice.agreement.papers import Paper
from sluice.documents.statement import make_statement
from sluice.errors import NotFound, Ref
from sluice.exchange import locks, store
from sluice.exchange.catalogue import find_copies, get_copy, insert_delivered
from sluice.exchange.effects.given import give_statement
from sluice.exchange.effects.kept_out import is_overtaken, is_replaced
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.keep import copy_line
from sluice.exchange.last_days import AS_IT_CAME, LastDay, sooner
from sluice.exchange.model import Opened
from sluice.exchange.naming import receipt_stem
from sluice.exchange.persons.suppressed import SuppressedMeanwhile, commit_unless_suppressed
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.keys import Keyring
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.copy_kinds import DELIVERED, RETURN
from sluice.ledger.record import ExchangeRecord, is_after_end
from sluice.media_types import CSV, JSON, OCTETS, PDF, YAML
from sluice.terms import Sha256
from sluice.times import BRUSSELS, brussels_day

TYPES = {"csv": CSV, "json": JSON, "pdf": PDF, "yaml": YAML}


def deliver(house: House, opened: Opened, record: ExchangeRecord, entry_hash: str) -> None:
    """Put roles, contract, receipt and at last the file under ``<principal>/outbound/<flow>/``.

    Raises NotFound while the receipt is not given: no receipt, no transfer. Raises SuppressedMeanwhile while somebody
    in it must stay out; once a newer return replaces it, it goes nowhere. What lies there already has gone.
    """
    kept_out = find_in_force(house.conn, opened.principal)
    if not _is_there(house, opened) and is_overtaken(house, opened):
        if is_replaced(house.conn, opened):
            return
        raise SuppressedMeanwhile(Ref("exchange", opened.exchange_id))
    bucket, stem = house.settings.bucket_exchange, receipt_stem(opened)
    receipt = {name: house.objects.read(bucket, f"{stem}.{name}") for name in ("json", "pdf")}
    make = partial(statement_of, record, entry_hash, house.keyring)
    give_statement(house, bucket, f"{opened.key}.roles.json", entry_hash, make)
    for name, content in {
        "odcs.yaml": get_body(house.conn, record.how.contract_sha256 or ""),
        "receipt.pdf": receipt["pdf"],
        "receipt.json": receipt["json"],
    }.items():
        house.objects.put_once(bucket, f"{opened.key}.{name}", content, TYPES[name.rpartition(".")[2]])
    with holding(house, opened):
        put = partial(_put, house, opened, record)
        copies = find_copies(house.conn, opened.exchange_id)
        if _is_there(house, opened):
            stored = put()
        else:
            stored = commit_unless_suppressed(house, opened.principal, kept_out, copies, put)
        _note(house, opened, stored, record)


def _is_there(house: House, opened: Opened) -> bool:
    """Whether an object lies where it is delivered: this one, if a worker died before it noted that."""
    return house.objects.head(house.settings.bucket_exchange, opened.key) is not None


def _put(house: House, opened: Opened, record: ExchangeRecord) -> StoredObject:
    kind = TYPES.get(record.what.format or "", OCTETS)
    return house.objects.copy_once(_kept(house, opened), house.settings.bucket_exchange, opened.key, kind)


def statement_of(record: ExchangeRecord, entry_hash: str, keyring: Keyring) -> bytes:
    """Return the signed statement of whose every column is."""
    return make_statement(
        record,
        entry_hash,
        keyring,
        profile_warnings=record.who.role_warnings,
        screened_for=record.screened_for,
        neutralised=record.how.dialect.get("neutralised", {}),
    )


def _kept(house: House, opened: Opened) -> StoredObject:
    """Return the kept object of the return: as it was made, but without those whom an erasure took out since.

    It is looked up and copied under the lock of the delivered object, so that no erasure ends in between.
    """
    copy = get_copy(house.conn, opened.exchange_id, RETURN)
    return StoredObject(
        copy.bucket, copy.key, copy.version_id or "null", copy.size_bytes, etag="", sha256=Sha256(copy.sha256)
    )


def holding(house: House, opened: Opened) -> AbstractContextManager[None]:
    """Lock the delivered object: nobody else puts or edits it while the block runs."""
    return locks.hold_object(house.conn, house.settings.bucket_exchange, opened.key)


def copy_again(house: House, opened: Opened, record: ExchangeRecord) -> StoredObject:
    """Copy the same bytes to the same key as a new version. Call while :func:`holding` it."""
    kind = TYPES.get(record.what.format or "", OCTETS)
    return house.objects.copy(_kept(house, opened), house.settings.bucket_exchange, opened.key, kind)


def _note(house: House, opened: Opened, stored: StoredObject, record: ExchangeRecord) -> None:
    """Note the delivered copy with its last day, and until when the principal should say that it arrived."""
    agreement = _agreement(house, opened)
    delivered_at = stored.modified_at or datetime.now(BRUSSELS)
    rule, last_day = _last_day(house, opened, delivered_at)
    copy = copy_line(DELIVERED, stored, record.what.rows_accepted, rule, last_day)
    insert_delivered(house.conn, opened.exchange_id, copy)
    store.begin_acknowledgement(
        house.conn,
        opened.exchange_id,
        delivered_at,
        delivered_at + timedelta(hours=agreement.delivery.acknowledge_hours),
        delivered_at + timedelta(hours=agreement.delivery.escalate_hours),
    )


def _last_day(house: House, opened: Opened, delivered_at: datetime) -> LastDay:
    """Return the last day of the delivered copy: the house's days from the delivery, but no later than the kept return.

    What goes back because an agreement ended is under none of its rules: it stays for the house's days, whenever it
    went.
    """
    ours = brussels_day(delivered_at) + timedelta(days=house.settings.keep_arrived_days)
    kept = get_copy(house.conn, opened.exchange_id, RETURN)
    if kept.delete_after is None or is_after_end(opened.direction, opened.version_id):
        return AS_IT_CAME, ours
    return sooner(AS_IT_CAME, ours, (kept.retention_rule, date.fromisoformat(kept.delete_after)))


def _agreement(house: House, opened: Opened) -> Agreement:
    """The agreement the return was made under."""
    paper = paper_under(house.conn, opened)
    if not isinstance(paper, Paper):
        raise NotFound(Ref("agreement of exchange", opened.exchange_id))
    return paper.agreement
