"""SQL of suppression runs, each change together with its ledger entry. Who is in a run stands in S3 only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.exchange.naming import utc_text
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.suppressed import SuppressionChanged
from sluice.subject.suppression import Suppression
from sluice.terms import Principal

MADE, LIFTED, REPLAYED = "made", "lifted", "replayed"
"""What can become of a run: replayed is what a restored database was told again."""
_RUN = """run_id::text as run_id, principal, reason, bucket, key, version_id, sha256, refs, case_id::text as case_id,
    made_at, lifted_at"""


@dataclass(frozen=True, slots=True)
class Run:
    """Persons of one principal who are kept out for one reason since one moment. ``refs``: how many references."""

    run_id: str
    principal: Principal
    reason: Suppression
    bucket: str
    key: str
    version_id: str
    sha256: str
    refs: int
    case_id: str | None
    made_at: datetime
    lifted_at: datetime | None = None


def lock_principal(conn: Connection, principal: Principal, *, shared: bool = False) -> None:
    """Until the transaction ends: who keeps somebody out waits for those who commit files, and they for it."""
    word = "_shared" if shared else ""
    conn.execute(f"select pg_advisory_xact_lock{word}(hashtextextended(%s, 5))".encode(), (principal,))


def insert_run(conn: Connection, run: Run, change: str, now: datetime) -> bool:
    """Put a run in force; False when it is there. It holds from the commit on. Call inside a transaction."""
    lock_principal(conn, run.principal)
    row = conn.execute(
        """insert into suppression_run (run_id, principal, reason, bucket, key, version_id, sha256, refs, case_id,
               made_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, greatest(%s, clock_timestamp()))
           on conflict do nothing returning 1""",
        (
            run.run_id, run.principal, run.reason.value, run.bucket, run.key, run.version_id, run.sha256, run.refs,
            run.case_id, run.made_at,
        ),
    ).fetchone()  # fmt: skip
    if row is not None:
        _record(conn, run, change, now)
    return row is not None


def mark_lifted(conn: Connection, run_id: str, now: datetime) -> bool:
    """End a run; False when it had ended, or never was. Call inside a transaction."""
    row = conn.execute(
        f"update suppression_run set lifted_at = %s where run_id = %s and lifted_at is null returning {_RUN}".encode(),
        (now, run_id),
    ).fetchone()
    if row is not None:
        _record(conn, _run(row), LIFTED, now)
    return row is not None


def find_runs(conn: Connection, principal: Principal | None = None) -> list[Run]:
    """Every run of a principal, or of all, those that were lifted too."""
    rows = conn.execute(
        f"""select {_RUN} from suppression_run where %(principal)s::text is null or principal = %(principal)s
            order by run_id""".encode(),
        {"principal": principal},
    ).fetchall()
    return [_run(row) for row in rows]


def find_in_force(conn: Connection, principal: Principal) -> frozenset[str]:
    """Ids of the runs that hold now."""
    rows = conn.execute(
        "select run_id::text as id from suppression_run where principal = %s and lifted_at is null", (principal,)
    ).fetchall()
    return frozenset(row["id"] for row in rows)


def find_unknown(conn: Connection, run_ids: Iterable[str]) -> frozenset[str]:
    """Those of these runs that the database does not have."""
    rows = conn.execute(
        """select id from unnest(%s::text[]) as id left join suppression_run r on r.run_id::text = id
           where r.run_id is null""",
        (sorted(run_ids),),
    ).fetchall()
    return frozenset(row["id"] for row in rows)


def _run(row: dict[str, Any]) -> Run:
    return Run(**{**row, "principal": Principal(row["principal"]), "reason": Suppression(row["reason"])})


def _record(conn: Connection, run: Run, change: str, now: datetime) -> None:
    body = SuppressionChanged(
        run_id=run.run_id,
        principal=run.principal,
        reason=run.reason.value,
        change=change,
        references=run.refs,
        case_id=run.case_id,
        changed_at=utc_text(now),
    )
    append(conn, chain=f"principal.{run.principal}", kind=EntryKind.SUPPRESSION_CHANGED, exchange_id=None, body=body)
