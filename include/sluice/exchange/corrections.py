"""Corrections of persons' values: sealed in the vault, noted in PostgreSQL without them, put over stale values.

The object first, then the row and its ledger entry, which hold keyed hashes of what was and what is right.
"""

import hashlib
import io
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from sluice.db import transaction
from sluice.errors import NotFound
from sluice.exchange import correction_store as store
from sluice.exchange.correction_store import CorrectionRow
from sluice.exchange.house import House
from sluice.exchange.naming import utc_text
from sluice.keys import Keyring
from sluice.ledger.append import append
from sluice.ledger.corrected import CorrectionMade
from sluice.ledger.model import EntryKind
from sluice.subject.correct import Correction, value_hash
from sluice.terms import FieldGroup, Principal

SEALED = "application/octet-stream"
NAMESPACE = uuid.UUID("c1de8c52-8e0d-5a3c-8b5b-4c6f0de2a9b7")
OPINIONS = frozenset({FieldGroup.NOTE_FREE_TEXT, FieldGroup.DISPOSITION, FieldGroup.QA_SCORE, FieldGroup.SCORE})
"""Field groups in which somebody judges: they get the person's statement, and stay (Art. 16, second sentence)."""


@dataclass(frozen=True, slots=True)
class RightValue:
    """What is right of one field since an instant; ``is_statement``: what the person says to an opinion."""

    field: str
    value: str
    as_of: datetime
    is_statement: bool


def correct(
    house: House, principal: Principal, case_id: str, refs: frozenset[str], right: RightValue, now: datetime
) -> str:
    """Correct one field of one person from now on; the id. The same case, principal and field again changes nothing."""
    correction_id = str(uuid.uuid5(NAMESPACE, f"{case_id}/{principal}/{right.field}"))
    key = house.subject_key(principal)
    was = () if right.is_statement else tuple(sorted(_before(house, principal, refs, right, key)))
    content = Correction(
        correction_id, tuple(sorted(refs)), right.field, right.value, right.as_of, was, right.is_statement
    )
    bucket, name = house.settings.bucket_vault, f"_corrections/{principal}/{correction_id}.age"
    stored = house.objects.put_converging(bucket, name, _seal(house.keyring, principal, content), SEALED)
    row = CorrectionRow(
        correction_id=correction_id,
        case_id=case_id,
        principal=principal,
        field=right.field,
        kind="statement" if right.is_statement else "value",
        as_of=right.as_of,
        bucket=bucket,
        key=name,
        sha256=stored.sha256 or "",
        made_at=now,
    )
    body = CorrectionMade(
        correction_id=correction_id,
        case_id=case_id,
        principal=principal,
        field=right.field,
        kind=row.kind,
        as_of=utc_text(right.as_of),
        before=was,
        after=value_hash(key, right.field, right.value),
        made_at=utc_text(now),
    )
    with transaction(house.conn):
        if store.insert_correction(house.conn, row):
            append(
                house.conn,
                chain=f"principal.{principal}",
                kind=EntryKind.CORRECTION_MADE,
                exchange_id=None,
                body=body,
            )
    return correction_id


def find_corrections(house: House, principal: Principal) -> tuple[Correction, ...]:
    """Every correction that stands for this principal's persons, oldest first."""
    return tuple(_open(house, row) for row in store.find_rows(house.conn, principal))


def drop_corrections(house: House, principal: Principal, refs: frozenset[str], now: datetime) -> int:
    """Remove the corrections of a person, every version of them: what is erased needs none; how many."""
    gone = 0
    for row in store.find_rows(house.conn, principal):
        if refs.isdisjoint(_open(house, row).refs):
            continue
        store.mark_gone(house.conn, row.correction_id, now)
        house.objects.delete_others(row.bucket, row.key, frozenset())
        gone += 1
    return gone


def _before(house: House, principal: Principal, refs: frozenset[str], right: RightValue, key: bytes) -> set[str]:
    """Keyed hashes of every value the person's accepted rows hold in this field, but the right one."""
    import polars as pl

    wanted = pl.Series(sorted(refs), dtype=pl.String).implode()
    found: set[str] = set()
    for _, bucket, name, version, _, _ in store.find_accepted(house.conn, principal):
        try:
            content = io.BytesIO(house.objects.read(bucket, name, version))
        except NotFound:
            continue  # past its retention
        names = pl.read_parquet_schema(content)
        if right.field not in names:
            continue
        columns = [each for each in names if each.startswith("sluice_ref_") or each == "sluice_subject_ref"]
        rows = pl.read_parquet(content, columns=[*columns, right.field])
        mine = rows.filter(pl.any_horizontal(pl.col(each).is_in(wanted).fill_null(False) for each in columns))
        found.update(value or "" for value in mine[right.field].to_list())
    return {value_hash(key, right.field, value) for value in found if value.strip() != right.value.strip()}


def _seal(keyring: Keyring, principal: Principal, content: Correction) -> bytes:
    import pyrage

    said: dict[str, Any] = {
        "refs": list(content.refs),
        "field": content.field,
        "value": content.value,
        "as_of": utc_text(content.as_of),
        "before": list(content.before),
        "is_statement": content.is_statement,
    }
    identity = pyrage.x25519.Identity.from_str(keyring.quarantine_identity(principal))
    sealed: bytes = pyrage.encrypt(rfc8785.dumps(said), [identity.to_public()])
    return sealed


def _open(house: House, row: CorrectionRow) -> Correction:
    import pyrage

    identity = pyrage.x25519.Identity.from_str(house.keyring.quarantine_identity(row.principal))
    said = json.loads(pyrage.decrypt(house.objects.read(row.bucket, row.key), [identity]))
    return Correction(
        row.correction_id,
        tuple(said["refs"]),
        said["field"],
        said["value"],
        datetime.fromisoformat(said["as_of"]),
        tuple(said["before"]),
        said["is_statement"],
    )


def evidence_of(house: House, correction_ids: Sequence[str]) -> str | None:
    """Hash of the ledger entry that says that these were corrected."""
    return store.find_entry_hash(house.conn, list(correction_ids)) if correction_ids else None


def digest(values: Mapping[str, str]) -> str:
    """SHA-256 of what was asked to be right, for the step that asks it."""
    return hashlib.sha256(rfc8785.dumps(dict(values))).hexdigest()
