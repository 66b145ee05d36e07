"""The SQL of suppression runs, each change together with its ledger entry. Who is in a run is known in S3 only."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.suppressed import SuppressionChanged
from sluice.locks import About, lock_until_commit
from sluice.subject.scope import EVERYTHING, Scope
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from sluice.times import utc_text

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MADE, LIFTED, REPLAYED = "made", "lifted", "replayed"
"""What can happen to a run. ``replayed``: a restored database was told of it again."""
_RUN = """run_id::text as run_id, principal, reason, bucket, key, version_id, sha256, refs, case_id::text as case_id,
    made_at, lifted_at, purposes, bases, channel"""


@dataclass(frozen=True, slots=True)
class SuppressedRun:
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
    scope: Scope = EVERYTHING


def lock_principal(conn: Connection, principal: Principal, *, shared: bool = False) -> None:
    """Lock a principal until the transaction ends.

    Whoever keeps somebody out, or stops a flow, waits for those who commit files (``shared``), and they for it.
    """
    lock_until_commit(conn, About.PRINCIPAL, principal, shared=shared)


def insert_run(conn: Connection, run: SuppressedRun, change: str, now: datetime) -> bool:
    """Put a run in force from the commit on; return False when it is there. Call inside a transaction."""
    lock_principal(conn, run.principal)
    row = conn.execute(
        """insert into suppression_run (run_id, principal, reason, bucket, key, version_id, sha256, refs, case_id,
               made_at, purposes, bases, channel)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, greatest(%s, clock_timestamp()), %s, %s, %s)
           on conflict do nothing returning 1""",
        (
            run.run_id, run.principal, run.reason.value, run.bucket, run.key, run.version_id, run.sha256, run.refs,
            run.case_id, run.made_at, sorted(run.scope.purposes), sorted(run.scope.bases), run.scope.channel,
        ),
    ).fetchone()  # fmt: skip
    if row is not None:
        entry_hash = _record(conn, run, change, now)
        conn.execute("update suppression_run set entry_hash = %s where run_id = %s", (entry_hash, run.run_id))
    return row is not None


def mark_lifted(
    conn: Connection, run_id: str, now: datetime, by: str | None = None, evidence: str | None = None
) -> Principal | None:
    """End a run and return its principal; None when it had ended, or never was. Call inside a transaction.

    ``by``, ``evidence``: if a person ends it, who, and the SHA-256 of why.
    """
    row = conn.execute(
        f"update suppression_run set lifted_at = %s where run_id = %s and lifted_at is null returning {_RUN}".encode(),
        (now, run_id),
    ).fetchone()
    if row is None:
        return None
    run = _run(row)
    _record(conn, run, LIFTED, now, by, evidence)
    return run.principal


def find_runs(
    conn: Connection,
    principal: Principal | None = None,
    *,
    only: Iterable[str] | None = None,
    in_force: bool = False,
    case_id: str | None = None,
) -> list[SuppressedRun]:
    """Return runs of a principal or of all, including those that were lifted.

    ``only``: those with these ids. ``in_force``: those that hold now. ``case_id``: those of one request.
    """
    asked = {
        "principal = %(principal)s": principal,
        "run_id = any(%(only)s::uuid[])": only,
        "case_id = %(case)s::uuid": case_id,
    }
    rules = [rule for rule, value in asked.items() if value is not None] + ["lifted_at is null"] * in_force
    rows = conn.execute(
        f"select {_RUN} from suppression_run where {' and '.join(rules) or 'true'} order by run_id".encode(),
        {"principal": principal, "only": sorted(only or ()), "case": case_id},
    ).fetchall()
    return [_run(row) for row in rows]


def find_in_force(conn: Connection, principal: Principal) -> frozenset[str]:
    """Ids of the runs that hold now."""
    rows = conn.execute(
        "select run_id::text as id from suppression_run where principal = %s and lifted_at is null", (principal,)
    ).fetchall()
    return frozenset(row["id"] for row in rows)


def find_unknown(conn: Connection, run_ids: Iterable[str]) -> frozenset[str]:
    """Return those of these ids that the database does not have, including text that is no id of a run."""
    asked = frozenset(run_ids)
    ids = sorted(each for each in asked if UUID.fullmatch(each))
    rows = conn.execute("select run_id::text as id from suppression_run where run_id = any(%s::uuid[])", (ids,))
    return asked - {row["id"] for row in rows.fetchall()}


def last_lifted(conn: Connection, principal: Principal) -> dict[Suppression, datetime]:
    """Return when a suppression of this principal last ended, by its reason."""
    rows = conn.execute(
        """select reason, max(lifted_at) as at from suppression_run
           where principal = %s and lifted_at is not null group by reason""",
        (principal,),
    ).fetchall()
    return {Suppression(row["reason"]): row["at"] for row in rows}


def _run(row: dict[str, Any]) -> SuppressedRun:
    own = {name: value for name, value in row.items() if name not in ("purposes", "bases", "channel")}
    scope = Scope(frozenset(row["purposes"]), frozenset(row["bases"]), row["channel"])
    return SuppressedRun(
        **{**own, "principal": Principal(row["principal"]), "reason": Suppression(row["reason"])}, scope=scope
    )


def _record(
    conn: Connection, run: SuppressedRun, change: str, now: datetime, by: str | None = None, evidence: str | None = None
) -> str:
    body = SuppressionChanged(
        run_id=run.run_id,
        principal=run.principal,
        reason=run.reason.value,
        change=change,
        references=run.refs,
        case_id=run.case_id,
        changed_at=utc_text(now),
        purposes=tuple(sorted(run.scope.purposes)),
        bases=tuple(sorted(run.scope.bases)),
        channel=run.scope.channel,
        by=by,
        evidence_sha256=evidence,
    )
    chain = principal_chain(run.principal)
    return append(conn, chain=chain, kind=EntryKind.SUPPRESSION_CHANGED, exchange_id=None, body=body).hash.hex()
