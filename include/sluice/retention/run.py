"""Delete copies whose last day is over, and prove it: note them, delete them, list again, record it.

If a run is killed at any point, the next one meets the same copies again; each deletion is recorded once.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sluice.agreement.in_force.ended import read_ends
from sluice.agreement.model import Agreement
from sluice.db import Connection, transaction
from sluice.errors import Ref, StoreError
from sluice.exchange.house import House
from sluice.exchange.read import pick_principals
from sluice.exchange.sweeping import Faults
from sluice.lake.s3.versions import UNSAID, said_of
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.retained import CopiesDeleted, DeletedCopy
from sluice.retention import store
from sluice.retention.acks import drop_acks
from sluice.retention.consents import drop_consents
from sluice.retention.corrections import drop_corrections
from sluice.retention.model import Due, End
from sluice.retention.needed import keep_needed
from sluice.retention.rules import due_on
from sluice.rights.copies import copy_store
from sluice.rights.copies.model import Copy
from sluice.rights.copies.needed import find_needed
from sluice.rights.copies.needed_model import Needed
from sluice.rights.copies.swap import remove
from sluice.terms import ExchangeId, Principal
from sluice.times import brussels_day, utc_text

Progress = Callable[[int, int], None]
"""Called with the number of copies done and the number of copies to do."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What one run did, in copies. ``failed``: copies still there, which the next run meets again.

    ``corrections``, ``consents``: records of persons that were removed as no longer needed. ``undone``: how often it
    failed for a principal as a whole, because nobody could say what may be deleted or its records could not be removed.
    ``acks``: answered files of principals that were removed.
    """

    deleted: int = 0
    held: int = 0
    waiting: int = 0
    failed: int = 0
    corrections: int = 0
    consents: int = 0
    undone: int = 0
    acks: int = 0


def find_due(house: House, on: date, now: datetime, principal: Principal | None = None) -> list[Due]:
    """Copies whose last day is over on a Brussels day, held ones too, of one principal or all. Raises NotFound."""
    return [
        due
        for each in _principals(house, principal)
        for due in _due_of(house, each, on, now, find_needed(house, each, on))
    ]


def _principals(house: House, principal: Principal | None) -> list[Principal]:
    if principal is not None:
        return pick_principals(house.conn, principal)
    return store.find_principals(house.conn)


def _due_of(house: House, principal: Principal, on: date, now: datetime, needed: Collection[Needed]) -> list[Due]:
    conn = house.conn
    dues, holds = store.find_begun(conn, principal), store.find_holds(conn, principal)
    ends = read_ends(conn, principal, on, now)
    for name, kept in store.find_kept(conn, principal, on, ends).items():
        end = _end_of(conn, ends.ended[name]) if name is not None else None
        dues += due_on(kept, end, holds, on)
    return keep_needed(house, principal, dues, needed)


def _end_of(conn: Connection, ended: Agreement) -> End | None:
    if ended.valid_to is None:
        return None
    returned = store.find_returned(conn, ended)
    returned_on = brussels_day(returned) if returned else None
    return End(ended.valid_to, ended.end_days, ended.end_choice == "return", returned_on)


def retain(
    house: House, now: datetime, principal: Principal | None = None, progress: Progress = lambda done, of: None
) -> Retained:
    """Delete every copy whose last day is over and that nothing keeps. Repeating it changes nothing.

    A failing exchange, or a principal for whom nobody can say what may be deleted, is logged and does not hold up the
    others. Raises NotFound, and ServiceMissing when a store is away.
    """
    faults, dues, needed = Faults(house.conn), list[Due](), dict[Principal, Collection[Needed]]()
    for each in _principals(house, principal):
        with faults.kept_apart(f"retention of {each}"):
            needed[each] = find_needed(house, each, brussels_day(now))
            dues += _due_of(house, each, brussels_day(now), now, needed[each])
    unknown = faults.count
    free = [due for due in dues if due.is_free]
    deleted = kept = tried = 0
    for exchange_id, copies in _by_exchange(free).items():
        tried += len(copies)
        with faults.kept_apart(f"retention of exchange {exchange_id}"):
            with store.lock_principal(house.conn, copies[0].copy.principal):
                going = _still_free(house, copies, now, needed[copies[0].copy.principal])
                _delete(house, exchange_id, going, now)
            deleted, kept = deleted + len(going), kept + len(copies) - len(going)
        progress(tried, len(free))
    held = sum(due.held_by is not None for due in dues)
    corrections, not_gone = drop_corrections(house, now, principal)
    consents, not_dropped = drop_consents(house, now, principal)
    acks, not_removed = drop_acks(house, now, principal)
    return Retained(
        deleted=deleted,
        held=held + kept,
        waiting=len(dues) - len(free) - held,
        failed=tried - deleted - kept,
        corrections=corrections,
        consents=consents,
        undone=unknown + not_gone + not_dropped + not_removed,
        acks=acks,
    )


def _by_exchange(dues: Sequence[Due]) -> dict[ExchangeId, list[Due]]:
    """Group copies by exchange, begun and due ones together, because one ledger entry records them."""
    found: dict[ExchangeId, list[Due]] = {}
    for due in dues:
        found.setdefault(due.copy.exchange_id, []).append(due)
    return found


def _still_free(house: House, dues: Sequence[Due], now: datetime, known: Collection[Needed]) -> list[Due]:
    """Copies of one exchange without those that a new hold or need keeps meanwhile; begun ones always stay in.

    ``known``: needs of persons that were already checked for these copies. Call under the principal's lock.
    """
    copy, on = dues[0].copy, brussels_day(now)
    holds = store.find_holds(house.conn, copy.principal, copy.exchange_id)
    since = find_needed(house, copy.principal, on) - frozenset(known)
    return [
        due
        for due in keep_needed(house, copy.principal, dues, since)
        if due.is_begun or (due.is_free and not any(hold.covers(due.copy, on) for hold in holds))
    ]


def _delete(house: House, exchange_id: ExchangeId, dues: Sequence[Due], now: datetime) -> None:
    """Delete the copies of one exchange for good and append their entry. Raises StoreError if a version is left."""
    if not dues:
        return
    principal, kinds = dues[0].copy.principal, {due.copy.kind for due in dues}
    store.note_begun(house.conn, dues)
    for copy in copy_store.find_copies(house.conn, principal, with_gone=True, among=[exchange_id]):
        if copy.kind in kinds:
            remove(house, copy)
            if left := sum(1 for _ in _left(house, copy)):
                raise StoreError(Ref("exchange", exchange_id), Ref("copy", copy.kind), Ref("versions left", left))
    with transaction(house.conn):
        if noted := store.insert_outcomes(house.conn, dues, now):
            body = CopiesDeleted(
                exchange_id=exchange_id,
                principal=principal,
                deleted_at=utc_text(now),
                copies=tuple(_line(due) for due in noted),
            )
            chain = dues[0].copy.chain
            append(house.conn, chain=chain, kind=EntryKind.COPIES_DELETED, exchange_id=None, body=body)


def _left(house: House, copy: Copy) -> Iterator[str]:
    """Versions of a copy that a listing still shows.

    A listing cannot spell every key. Under such a key nothing is removed although the server says so, so the whole
    folder is listed.
    """
    asked = f"{copy.key.rpartition('/')[0]}/" if UNSAID in copy.key else copy.key
    for item in house.objects.list_versions(copy.bucket, asked):
        if item.version_id == copy.version_id and said_of(copy.key) == said_of(item.key):
            yield item.version_id


def _line(due: Due) -> DeletedCopy:
    copy = due.copy
    return DeletedCopy(
        kind=copy.kind, sha256=copy.sha256, rule=copy.rule, last_day=str(due.last_day), why=due.why.value
    )
