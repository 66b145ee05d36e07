"""The SQL of corrections: which there are and where each lies sealed, never whose nor what."""

from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.terms import ExchangeId, Principal


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """One correction without its content."""

    correction_id: str
    case_id: str
    principal: Principal
    field: str
    kind: str
    as_of: datetime
    bucket: str
    key: str
    sha256: str
    made_at: datetime


COLUMNS = """correction_id::text as correction_id, case_id::text as case_id, principal, field, kind, as_of, bucket, key,
    sha256, made_at"""


def insert_correction(conn: Connection, row: CorrectionRow) -> bool:
    """Note a correction; False when it is there. Call inside the transaction that appends its entry."""
    found = conn.execute(
        """insert into correction (correction_id, case_id, principal, field, kind, as_of, bucket, key, sha256, made_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (
            row.correction_id,
            row.case_id,
            row.principal,
            row.field,
            row.kind,
            row.as_of,
            row.bucket,
            row.key,
            row.sha256,
            row.made_at,
        ),
    ).fetchone()
    return found is not None


def find_rows(conn: Connection, principal: Principal, case_id: str | None = None) -> list[CorrectionRow]:
    """Corrections of a principal's persons that stand, oldest first."""
    rows = conn.execute(
        f"""select {COLUMNS} from correction where principal = %(principal)s and gone_at is null
            and (%(case)s::uuid is null or case_id = %(case)s) order by as_of, correction_id""".encode(),
        {"principal": principal, "case": case_id},
    ).fetchall()
    return [CorrectionRow(**{**row, "principal": Principal(row["principal"])}) for row in rows]


def was_corrected(conn: Connection, principal: Principal, since: datetime) -> bool:
    """Whether a value of somebody of this principal was corrected after an instant."""
    row = conn.execute(
        "select exists (select from correction where principal = %s and made_at > %s) as made", (principal, since)
    ).fetchone()
    return bool(row and row["made"])


def mark_gone(conn: Connection, correction_id: str, now: datetime) -> None:
    """The content of a correction was removed."""
    conn.execute("update correction set gone_at = %s where correction_id = %s", (now, correction_id))


def find_accepted(conn: Connection, principal: Principal) -> list[tuple[ExchangeId, str, str, str, str, datetime]]:
    """Exchange, bucket, key, version, name and time of arrival of every accepted file of a principal."""
    rows = conn.execute(
        """select a.exchange_id::text as id, a.bucket, a.key, a.version_id, e.key as name, e.opened_at
           from accepted_data a join exchange e using (exchange_id) where a.principal = %s order by a.closed_at""",
        (principal,),
    ).fetchall()
    return [
        (ExchangeId(row["id"]), row["bucket"], row["key"], row["version_id"], row["name"], row["opened_at"])
        for row in rows
    ]


def find_entry_hash(conn: Connection, correction_ids: list[str]) -> str | None:
    """Hash of the youngest ledger entry about one of these corrections; None when there is none."""
    row = conn.execute(
        """select encode(hash, 'hex') as hash from ledger.entry
           where kind = 'correction.made' and convert_from(body, 'UTF8')::json ->> 'correction_id' = any(%s)
           order by appended_at desc, seq desc limit 1""",
        (correction_ids,),
    ).fetchone()
    return row["hash"] if row else None
