"""The SQL of consent records: which lists there are and where each lies, never whose they are or what they say."""

from dataclasses import dataclass
from datetime import date, datetime

from sluice.db import Connection
from sluice.terms import Principal

COLUMNS = """run_id::text as run_id, principal, source_sha256, dated_on, records, bucket, key, version_id, recorded_at,
    recorded_by"""


@dataclass(frozen=True, slots=True)
class ConsentRun:
    """A list of records that came together, from one file or one statement, whose hash is ``source_sha256``."""

    run_id: str
    principal: Principal
    source_sha256: str
    dated_on: date
    records: int
    bucket: str
    key: str
    version_id: str
    recorded_at: datetime
    recorded_by: str


def insert_run(conn: Connection, run: ConsentRun) -> bool:
    """Note a list; return False when it is, or was, there. Call inside the transaction that appends its entry."""
    row = conn.execute(
        """insert into consent_run (run_id, principal, source_sha256, dated_on, records, bucket, key, version_id,
               recorded_at, recorded_by)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (
            run.run_id,
            run.principal,
            run.source_sha256,
            run.dated_on,
            run.records,
            run.bucket,
            run.key,
            run.version_id,
            run.recorded_at,
            run.recorded_by,
        ),
    ).fetchone()
    return row is not None


def find_runs(conn: Connection, principal: Principal) -> list[ConsentRun]:
    """Lists that are there, the oldest first."""
    rows = conn.execute(
        f"""select {COLUMNS} from consent_run where principal = %s and gone_at is null
            order by recorded_at, run_id""".encode(),
        (principal,),
    ).fetchall()
    return [ConsentRun(**{**row, "principal": Principal(row["principal"])}) for row in rows]


def is_known(conn: Connection, run_id: str) -> bool:
    """Whether a list was recorded, also if it is gone."""
    row = conn.execute("select exists (select from consent_run where run_id = %s) as known", (run_id,)).fetchone()
    return bool(row and row["known"])


def find_principals(conn: Connection) -> list[Principal]:
    """Principals with records."""
    rows = conn.execute("select distinct principal from consent_run where gone_at is null order by 1").fetchall()
    return [Principal(row["principal"]) for row in rows]


def move_run(conn: Connection, run_id: str, version_id: str, records: int) -> None:
    """Note that a list was edited: it lies there as another version."""
    conn.execute(
        "update consent_run set version_id = %s, records = %s where run_id = %s", (version_id, records, run_id)
    )


def mark_gone(conn: Connection, run_id: str, now: datetime) -> bool:
    """Note that nothing is left of a list; return False when it was gone already."""
    done = conn.execute("update consent_run set gone_at = %s where run_id = %s and gone_at is null", (now, run_id))
    return done.rowcount == 1
