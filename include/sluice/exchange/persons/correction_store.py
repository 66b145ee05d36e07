"""The SQL of corrections: which there are and where each lies sealed, never whose they are or what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.ledger.copy_kinds import INDEX, LAKE
from sluice.terms import Direction, ExchangeId, Principal


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
    """Note a correction; return False when it is there. Call inside the transaction that appends its entry."""
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


def find_contract_hashes(conn: Connection, principal: Principal, directions: Sequence[Direction]) -> list[str]:
    """SHA-256 of the contracts under which copies of a principal came that are still here, in these directions.

    The tally tells which contracts there ever were; of each, the newest exchange with a copy is looked for.
    """
    rows = conn.execute(
        """select sha256 from (
               select s.said ->> 'contract' as sha256, array_agg(s.said_id) as said_ids from said s
               where s.said ->> 'contract' is not null and s.said_id in (
                   select said_id from exchange_tally
                   where principal = %(principal)s and direction = any(%(directions)s))
               group by 1) known
           where exists (select from exchange e
               where e.principal = %(principal)s and e.direction = any(%(directions)s) and e.said_id = any(said_ids)
                 and exists (select from copy c where c.exchange_id = e.exchange_id and c.gone_at is null)
               order by e.opened_at desc limit 1)
           order by 1""",
        {"principal": principal, "directions": list(directions)},
    ).fetchall()
    return [row["sha256"] for row in rows]


def find_rows(conn: Connection, principal: Principal) -> list[CorrectionRow]:
    """Corrections of a principal's persons that stand, oldest first."""
    rows = conn.execute(
        f"""select {COLUMNS} from correction where principal = %(principal)s and gone_at is null
            order by made_at, correction_id""".encode(),
        {"principal": principal},
    ).fetchall()
    return [CorrectionRow(**{**row, "principal": Principal(row["principal"])}) for row in rows]


def was_corrected(conn: Connection, principal: Principal, since: datetime) -> bool:
    """Whether any person's value at this principal was corrected after an instant."""
    row = conn.execute(
        "select exists (select from correction where principal = %s and made_at > %s) as made", (principal, since)
    ).fetchone()
    return bool(row and row["made"])


def find_fields(conn: Connection, case_id: str, principal: Principal) -> set[str]:
    """Names of the fields that a case had corrected at a principal."""
    rows = conn.execute(
        "select distinct field from correction where (case_id, principal) = (%s, %s)", (case_id, principal)
    ).fetchall()
    return {row["field"] for row in rows}


def mark_gone(conn: Connection, key: str, now: datetime) -> bool:
    """Note that the content of a correction goes: it no longer applies, and its object is to be removed.

    Return False when it was gone already.
    """
    done = conn.execute("update correction set gone_at = %s where key = %s and gone_at is null", (now, key))
    return done.rowcount == 1


def find_principals(conn: Connection) -> list[Principal]:
    """Principals for which somebody's value was ever corrected."""
    rows = conn.execute("select distinct principal from correction order by 1").fetchall()
    return [Principal(row["principal"]) for row in rows]


def is_known(conn: Connection, correction_id: str) -> bool:
    """Whether a correction was made, also if its content is gone."""
    row = conn.execute("select 1 from correction where correction_id = %s", (correction_id,)).fetchone()
    return row is not None


def find_gone(conn: Connection, principal: Principal) -> set[str]:
    """Keys of the corrections whose content was removed, or has to be."""
    rows = conn.execute(
        "select key from correction where principal = %s and gone_at is not null", (principal,)
    ).fetchall()
    return {row["key"] for row in rows}


def find_accepted(conn: Connection, principal: Principal) -> dict[ExchangeId, bool]:
    """Return the exchanges of a principal whose accepted rows are in the lake, oldest first, and whether the index has
    them.

    Also those whose receipt is not given yet: nobody reads their data before, but whose it is is known.
    """
    rows = conn.execute(
        """select e.exchange_id::text as id, exists (select from copy i where i.exchange_id = e.exchange_id
               and i.kind = %s and i.gone_at is null) as has_index
           from exchange e join copy c using (exchange_id)
           where e.principal = %s and e.decision in ('accepted', 'partly_accepted') and c.kind = %s
             and c.gone_at is null
           order by e.closed_at""",
        (INDEX, principal, LAKE),
    ).fetchall()
    return {ExchangeId(row["id"]): row["has_index"] for row in rows}


def note_entry(conn: Connection, correction_id: str, entry_hash: str) -> None:
    """Note which ledger entry says that it was made. Call inside the transaction that appends it."""
    conn.execute("update correction set entry_hash = %s where correction_id = %s", (entry_hash, correction_id))


def find_entry_hash(conn: Connection, correction_ids: list[str]) -> str | None:
    """Hash of the youngest ledger entry about one of these corrections; None when there is none."""
    row = conn.execute(
        """select entry_hash from correction where correction_id = any(%s::uuid[])
           order by made_at desc, correction_id desc limit 1""",
        (correction_ids,),
    ).fetchone()
    return row["entry_hash"] if row else None
