"""Import a staff file: judge its rows, then record the new ones and a ledger entry in one transaction."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from sluice.db import Connection, transaction
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.record import PurposeLine, ReasonLine
from sluice.ledger.staffed import StaffImportRecord
from sluice.staff.facts import purposes
from sluice.staff.model import Finding, Held, Imported, Judged, StaffFile, StaffRow
from sluice.staff.read import read_table
from sluice.staff.rows import judge_rows
from sluice.staff.settle import settle
from sluice.staff.store import (
    CHAIN,
    insert_import,
    insert_rows,
    is_imported,
    last_import_seq,
    lock_imports,
    read_held,
)

SHOWN_ROWS = 20
"""The most row numbers listed for one reason."""


def admit(conn: Connection, file: StaffFile, *, key: bytes, controller: str, now: datetime) -> Imported:
    """Record every row that can be accepted, and the import itself.

    A file that was imported before adds only rows that were refused then and are accepted now. A file that
    cannot be read at all is recorded too, as refused. key: the staff key of the keyring, for the references
    of agents. controller: code of the center.
    """
    sha256 = hashlib.sha256(file.body).hexdigest()
    judged = judge_rows(read_table(file), key, now)
    with transaction(conn):
        lock_imports(conn)
        held = read_held(conn)
        settled = settle(judged, held)
        if is_imported(conn, sha256) and not any(_is_new(row, held) for row in settled.accepted):
            return Imported(sha256, settled, 0, True, last_import_seq(conn))
        import_id = insert_import(
            conn,
            sha256=sha256,
            source=file.source,
            size=len(file.body),
            rows_in=settled.rows_in,
            accepted=len(settled.accepted),
            at=now,
        )
        new = insert_rows(conn, import_id, settled.accepted, now)
        body = _record(file, sha256, settled, new, controller, now)
        entry = append(conn, chain=CHAIN, kind=EntryKind.STAFF_IMPORTED, exchange_id=None, body=body)
    return Imported(sha256, settled, new, False, entry.seq)


def _is_new(row: StaffRow, held: Held) -> bool:
    return row.identity not in (held.withdrawn if row.withdrawn else held.stated)


def reasons_of(findings: Iterable[Finding]) -> tuple[ReasonLine, ...]:
    """Group findings by code, rule and column, with the first row numbers of each; a fault of the header has none."""
    rows: dict[tuple[str, str, str | None], list[int]] = defaultdict(list)
    for finding in findings:
        rows[finding.code, finding.rule, finding.column].append(finding.row)
    return tuple(
        ReasonLine(code=code, rule=rule, column=column, count=len(at), rows=tuple(filter(None, at))[:SHOWN_ROWS])
        for (code, rule, column), at in sorted(rows.items(), key=lambda item: (item[1][0], item[0][0]))
    )


def _record(
    file: StaffFile, sha256: str, judged: Judged, new: int, controller: str, now: datetime
) -> StaffImportRecord:
    return StaffImportRecord(
        controller=controller,
        purposes=tuple(_purpose_lines(controller)),
        source=file.source,
        file_sha256=sha256,
        size_bytes=len(file.body),
        imported_at=now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        rows_in=judged.rows_in,
        rows_accepted=len(judged.accepted),
        rows_refused=judged.rows_refused,
        rows_new=new,
        kinds=dict(Counter(row.kind.value for row in judged.accepted)),
        reasons=reasons_of(judged.findings),
    )


def _purpose_lines(controller: str) -> Iterable[PurposeLine]:
    for purpose in purposes():
        yield PurposeLine(
            code=purpose.code,
            iri=purpose.iri,
            text=dict(purpose.text),
            legal_basis=purpose.legal_basis,
            basis_holder=controller,
        )
