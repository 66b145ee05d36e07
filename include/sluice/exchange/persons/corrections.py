"""Corrections of persons' values: sealed in the vault, noted in PostgreSQL without them, laid over stale values.

The object is put first, then the row and its ledger entry. The entry holds hashes under a salt that only the object
has: once that is gone, they say nothing.
"""

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as part
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import rfc8785

from sluice.agreement.in_force.subject_store import find_subject_names
from sluice.db import transaction
from sluice.errors import NotFound, StoreConflict
from sluice.exchange.house import House
from sluice.exchange.persons import correction_store as store
from sluice.exchange.persons.accepted_rows import accepted_rows
from sluice.exchange.persons.correction_store import CorrectionRow
from sluice.exchange.persons.whose import refs_by_person
from sluice.keys import KeyDestroyed
from sluice.lake.quarantine import seal_bytes, unseal_bytes
from sluice.lake_columns import REFS
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.corrected import CorrectionDropped, CorrectionMade
from sluice.ledger.model import EntryKind
from sluice.media_types import OCTETS
from sluice.subject.correct import value_hash
from sluice.subject.correction import Correction
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import FieldGroup, Principal, SubjectKind
from sluice.times import utc_text

if TYPE_CHECKING:
    from sluice.lake.s3.objects import StoredObject

PREFIX = "_corrections/"
VALUE = "value"
"""Kind of a correction that is not a statement."""
NAMESPACE = uuid.UUID("c1de8c52-8e0d-5a3c-8b5b-4c6f0de2a9b7")
Number = tuple[SubjectKind, str]
"""A reference of a kind that belongs to one person (a customer or national number), with that kind."""
OPINIONS = frozenset({FieldGroup.NOTE_FREE_TEXT, FieldGroup.DISPOSITION, FieldGroup.QA_SCORE, FieldGroup.SCORE})
"""Field groups in which somebody judges. They stay, and get the person's statement (Art. 16, second sentence)."""


@dataclass(frozen=True, slots=True)
class RightValue:
    """The right value of one field since an instant or, with ``is_statement``, what the person says to an opinion.

    ``asked_sha256``: hash of the sealed object that asked for it. It makes another value of the same field another
    correction, and the same value none, without the value being in any name. ``kinds``: for an identifier, its kind and
    the region of its phone numbers in every contract that has it.
    """

    field: str
    value: str = part(repr=False)
    as_of: datetime
    is_statement: bool
    asked_sha256: str
    kinds: tuple[tuple[SubjectKind, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """Counts of objects that name somebody, and of objects that nobody could open.

    ``newer``: objects that name them and came meanwhile.
    """

    named: int = 0
    unreadable: int = 0
    newer: int = 0


def correct(
    house: House, principal: Principal, case_id: str, refs: frozenset[str], right: RightValue, now: datetime
) -> str:
    """Correct one field of one person from now on; return the correction's id.

    The same request is carried out only once, even when its correction is gone.
    """
    name = f"{case_id}/{principal}/{right.field}/{utc_text(right.as_of)}/{right.asked_sha256}"
    correction_id = str(uuid.uuid5(NAMESPACE, name))
    if store.is_known(house.conn, correction_id):
        return correction_id
    key = house.subject_key(principal)
    was, named = (set[str](), set[str]()) if right.is_statement else _before(house, principal, refs, right, key)
    names = set() if right.is_statement else _names(right, key)
    content = Correction(
        correction_id, tuple(sorted(refs)), right.field, right.value, right.as_of, now, tuple(sorted(was)),
        right.is_statement, secrets.token_hex(32), tuple(sorted(names)), tuple(sorted(named - names)),
    )  # fmt: skip
    sealed = _put_sealed(house, principal, content)
    content = _read(correction_id, unseal_bytes(sealed, house.keyring, principal), now)
    row = CorrectionRow(
        correction_id=correction_id,
        case_id=case_id,
        principal=principal,
        field=right.field,
        kind="statement" if right.is_statement else VALUE,
        as_of=right.as_of,
        bucket=house.settings.bucket_vault,
        key=_key(principal, correction_id),
        sha256=hashlib.sha256(sealed).hexdigest(),
        made_at=now,
    )
    with transaction(house.conn):
        if store.insert_correction(house.conn, row):
            body, chain = _entry(row, content, key), principal_chain(principal)
            entry = append(house.conn, chain=chain, kind=EntryKind.CORRECTION_MADE, exchange_id=None, body=body)
            store.note_entry(house.conn, correction_id, entry.hash.hex())
    return correction_id


def _put_sealed(house: House, principal: Principal, content: Correction) -> bytes:
    """Put a correction into the vault, sealed, and return what lies there.

    An earlier try may have put it, without committing its row: then that one's salt counts.
    """
    bucket, key = house.settings.bucket_vault, _key(principal, content.correction_id)
    with suppress(StoreConflict):
        house.objects.put_once(bucket, key, seal_bytes(_told(content), house.keyring, principal), OCTETS)
    return house.objects.read(bucket, key)


def _entry(row: CorrectionRow, content: Correction, key: SubjectKey) -> CorrectionMade:
    return CorrectionMade(
        correction_id=row.correction_id,
        case_id=row.case_id,
        principal=row.principal,
        field=row.field,
        kind=row.kind,
        as_of=utc_text(row.as_of),
        before=tuple(sorted(salted(content.salt, each) for each in content.before)),
        after=salted(content.salt, value_hash(key, content.field, content.value)),
        made_at=utc_text(row.made_at),
    )


def salted(salt: str, keyed: str) -> str:
    """Return what the ledger says of a value: HMAC-SHA256 of its keyed hash, under the sealed object's salt (hex)."""
    return hmac.new(bytes.fromhex(salt), keyed.encode(), hashlib.sha256).hexdigest()


def find_corrections(house: House, principal: Principal, made_before: datetime | None = None) -> tuple[Correction, ...]:
    """Return every correction that stands for this principal's persons, oldest first.

    ``made_before``: only older ones.
    """
    rows = store.find_rows(house.conn, principal)
    return tuple(_open(house, row) for row in rows if made_before is None or row.made_at < made_before)


def drop_one(house: House, principal: Principal, correction_id: str, why: str, now: datetime) -> bool:
    """Mark a correction that nobody needs any more as gone, with a ledger entry; return False when it was gone already.

    :func:`remove_gone` removes its bytes.
    """
    with transaction(house.conn):
        was_there = store.mark_gone(house.conn, _key(principal, correction_id), now)
        if was_there:
            body = CorrectionDropped(
                correction_id=correction_id, principal=principal, why=why, dropped_at=utc_text(now)
            )
            chain, kind = principal_chain(principal), EntryKind.CORRECTION_DROPPED
            append(house.conn, chain=chain, kind=kind, exchange_id=None, body=body)
    return was_there


def _key(principal: Principal, correction_id: str) -> str:
    return f"{PREFIX}{principal}/{correction_id}.age"


def drop_corrections(house: House, principal: Principal, refs: frozenset[str], now: datetime) -> int:
    """Remove the corrections of a person, every version of them; return how many. Erased data needs no correction.

    They are marked first and then removed, together with the bytes of every correction that was marked before: a worker
    may have died in between, or before the row was there.
    """
    gone, keys = 0, store.find_gone(house.conn, principal)
    for item in list(_versions(house, principal)):
        if item.key not in keys and not refs.isdisjoint(_refs_in(house, principal, item) or ()):
            keys.add(item.key)
            store.mark_gone(house.conn, item.key, now)
            gone += 1
    _remove(house, principal, keys)
    return gone


def remove_gone(house: House, principal: Principal) -> None:
    """Remove the bytes of every correction marked as gone, all versions of them. Doing it again changes nothing."""
    _remove(house, principal, store.find_gone(house.conn, principal))


def _remove(house: House, principal: Principal, keys: set[str]) -> None:
    for key in sorted(keys & {item.key for item in _versions(house, principal)}):
        house.objects.delete_others(house.settings.bucket_vault, key, frozenset())


def count_left(house: House, principal: Principal, refs: frozenset[str]) -> Left:
    """Count what lies there of a person. Every version is opened, whatever the database says."""
    found = [_refs_in(house, principal, item) for item in _versions(house, principal)]
    named = sum(1 for each in found if each and not refs.isdisjoint(each))
    return Left(named, sum(1 for each in found if each is None))


def _versions(house: House, principal: Principal) -> "Iterator[StoredObject]":
    return house.objects.list_versions(house.settings.bucket_vault, f"{PREFIX}{principal}/")


def _refs_in(house: House, principal: Principal, item: "StoredObject") -> frozenset[str] | None:
    """Return the references a version is about: none once it is gone, None if it is no correction that we sealed."""
    import pyrage

    try:
        said = json.loads(
            unseal_bytes(house.objects.read(item.bucket, item.key, item.version_id), house.keyring, principal)
        )
        return frozenset(said["refs"])
    except NotFound:
        return frozenset()
    except (pyrage.DecryptError, ValueError, TypeError, KeyError):
        return None


def find_numbers(house: House, principal: Principal, refs: frozenset[str]) -> set[frozenset[Number]]:
    """Return the customer and national numbers of accepted rows that have one of these references.

    Numbers of one row are together.
    """
    found = set[frozenset[Number]]()
    for rows, numbers in accepted_rows(house, principal, refs):
        for row in rows.select(each for each in numbers if each in rows.columns).unique().to_dicts():
            found.add(frozenset((numbers[name], ref) for name, ref in row.items() if ref is not None))
    return found - {frozenset()}


def find_bearers(house: House, principal: Principal, refs: frozenset[str]) -> dict[str, set[frozenset[str]]]:
    """Return, by reference, the customer and national numbers of the accepted rows that have it.

    Numbers of one row are together.
    """
    found: dict[str, set[frozenset[str]]] = {}
    for rows, numbers in accepted_rows(house, principal, refs):
        for row in rows.unique().to_dicts():
            bears = frozenset(ref for name, ref in row.items() if name in numbers and ref is not None)
            for ref in refs.intersection(row.values()) if bears else ():
                found.setdefault(ref, set()).add(bears)
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """What an accepted row has: customer and national numbers, and the references of everything else."""

    numbers: frozenset[Number] = part(repr=False)
    others: frozenset[str] = part(repr=False)


def find_rows(house: House, principal: Principal, refs: frozenset[str], named: Collection[str]) -> set[Row]:
    """Return the accepted rows with one of these references, equal ones once. ``named``: files whose index has any."""
    found = set[Row]()
    for rows, numbers in accepted_rows(house, principal, refs, named=named):
        for row in rows.unique().to_dicts():
            there = {name: ref for name, ref in row.items() if ref is not None}
            own = frozenset((numbers[name], ref) for name, ref in there.items() if name in numbers)
            found.add(Row(own, frozenset(ref for name, ref in there.items() if name not in numbers)))
    return found


def find_pairs(house: House, principal: Principal, refs: frozenset[str], named: Collection[str]) -> set[Row]:
    """Return, as rows of their own, which numbers stand beside each of these references in accepted rows.

    However many rows share an address, each number is there once. ``named``: files whose index has any.
    """
    import polars as pl

    found, wanted = set[Row](), pl.Series(sorted(refs), dtype=pl.String).implode()
    for rows, numbers in accepted_rows(house, principal, refs, named=named):
        there = [name for name in rows.columns if name in numbers]
        for other in (name for name in rows.columns if name not in numbers):
            for name in there:
                pairs = rows.select(other=pl.col(other), number=pl.col(name)).drop_nulls()
                pairs = pairs.filter(pl.col("other").is_in(wanted)).unique()
                found |= {
                    Row(frozenset({(numbers[name], number)}), frozenset({ref})) for ref, number in pairs.iter_rows()
                }
    return found


def find_naming(house: House, principal: Principal) -> list[Correction]:
    """Return the corrections of identifiers that stand and can be opened; a search for a person goes on without others.

    Only corrections of columns that can find a person are opened, however many others there are.
    """
    found = []
    rows = [row for row in store.find_rows(house.conn, principal) if row.kind == VALUE]
    names = find_subject_names(house.conn, principal) if rows else None
    for row in (row for row in rows if names is None or row.field in names):
        with suppress(NotFound, KeyDestroyed):  # a restored database from before an erasure; a key that is gone
            found.append(_open(house, row))
    return [each for each in found if not each.is_statement and each.names]


def _names(right: RightValue, key: SubjectKey) -> set[str]:
    """Return the references of the right value, if the field is an identifier."""
    told = (refer(key, kind, right.value, region=region).ref for kind, region in right.kinds)
    return {ref for ref in told if ref is not None}


def _before(
    house: House, principal: Principal, refs: frozenset[str], right: RightValue, key: SubjectKey
) -> tuple[set[str], set[str]]:
    """Return what the person's accepted rows and corrections hold in this field, other than the right value.

    First as keyed hashes; second, for an identifier, as references.
    """
    values, numbers, named = set[str](), set[str](), set[str]()
    for rows, columns in accepted_rows(house, principal, refs, right.field):
        own = [series.is_in(sorted(refs)).fill_null(False) for series in refs_by_person(rows, columns)]
        mine, ref = rows.filter(reduce(or_, own)), f"{REFS}{right.field}"
        named |= set(mine[ref].drop_nulls().to_list()) if ref in mine.columns else set()
        values |= {value or "" for value in mine[right.field].to_list()}
        numbers |= {ref for name in columns if name in mine.columns for ref in mine[name].to_list()} & refs
    found = {value_hash(key, right.field, value) for value in values}
    for each in find_corrections(house, principal):
        if each.field == right.field and not each.is_statement and not (numbers or refs).isdisjoint(each.refs):
            found |= {value_hash(key, each.field, each.value), *each.before}
            named |= {*each.names, *each.named}
    return found - {value_hash(key, right.field, right.value)}, named


def _told(content: Correction) -> bytes:
    said: dict[str, Any] = {
        "refs": list(content.refs),
        "field": content.field,
        "value": content.value,
        "as_of": utc_text(content.as_of),
        "before": list(content.before),
        "is_statement": content.is_statement,
        "salt": content.salt,
        "names": list(content.names),
        "named": list(content.named),
    }
    return rfc8785.dumps(said)


def _read(correction_id: str, content: bytes, made_at: datetime) -> Correction:
    said = json.loads(content)
    return Correction(
        correction_id,
        tuple(said["refs"]),
        said["field"],
        said["value"],
        datetime.fromisoformat(said["as_of"]),
        made_at,
        tuple(said["before"]),
        said["is_statement"],
        said["salt"],
        tuple(said["names"]),
        tuple(said["named"]),
    )


def _open(house: House, row: CorrectionRow) -> Correction:
    sealed = house.objects.read(row.bucket, row.key)
    return _read(row.correction_id, unseal_bytes(sealed, house.keyring, row.principal), row.made_at)


def evidence_of(house: House, correction_ids: Sequence[str]) -> str | None:
    """Return the hash of the youngest ledger entry that says that these were corrected."""
    return store.find_entry_hash(house.conn, list(correction_ids)) if correction_ids else None
