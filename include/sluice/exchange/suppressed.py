"""Who must stay out of a principal's files: runs in S3, their catalogue in PostgreSQL, one merged list per file."""

import io
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.naming import utc_text
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.suppressed import SuppressionChanged
from sluice.subject.scope import EVERYTHING, Need, Scope, sift
from sluice.subject.suppression import Suppression, merge_suppressions, suppress, write_suppressions
from sluice.terms import Principal

if TYPE_CHECKING:
    import polars as pl

PARQUET = "application/vnd.apache.parquet"
NAMESPACE = uuid.UUID("6f1f2d3e-6d0b-5c7e-9d7e-0f6d1f0a9b11")


def run_id_of(principal: Principal, reason: Suppression, cause: str) -> str:
    """Id of the run that one cause (a case, an instruction) makes: doing it again finds it there."""
    return str(uuid.uuid5(NAMESPACE, f"{principal}/{reason}/{cause}"))


def keep_out(
    house: House,
    principal: Principal,
    refs: frozenset[str],
    reason: Suppression,
    *,
    cause: str,
    case_id: str | None,
    now: datetime,
    scope: Scope = EVERYTHING,
) -> str:
    """Suppress persons from now on; the run's id. The object first, then the row and its ledger entry at once.

    ``scope``: what it stops, if not everything.
    """
    run_id = run_id_of(principal, reason, cause)
    content = write_suppressions(suppress(refs, reason))
    bucket, key = house.settings.bucket_lake, f"_suppressions/{principal}/{run_id}.parquet"
    stored = house.objects.put_converging(bucket, key, content, PARQUET)
    with transaction(house.conn):
        row = house.conn.execute(
            """insert into suppression_run (run_id, principal, reason, bucket, key, version_id, sha256, refs, case_id,
                   made_at, purposes, bases, channel) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict do nothing returning 1""",
            (
                run_id,
                principal,
                reason.value,
                bucket,
                key,
                stored.version_id,
                stored.sha256 or "",
                len(refs),
                case_id,
                now,
                sorted(scope.purposes),
                sorted(scope.bases),
                scope.channel,
            ),
        ).fetchone()
        if row is not None:
            _record(house.conn, run_id, principal, reason, "made", len(refs), case_id, now, scope)
    return run_id


def lift(house: House, run_id: str, now: datetime, by: str | None = None, evidence: str | None = None) -> bool:
    """End a suppression (a hold that was decided); False when it had ended, or never was.

    by, evidence: who ends it and the SHA-256 of why, where a person does.
    """
    with transaction(house.conn):
        row = house.conn.execute(
            """update suppression_run set lifted_at = %s where run_id = %s and lifted_at is null
               returning principal, reason, refs, case_id::text as case_id, purposes, bases, channel""",
            (now, run_id),
        ).fetchone()
        if row is None:
            return False
        principal, reason = Principal(row["principal"]), Suppression(row["reason"])
        _record(
            house.conn, run_id, principal, reason, "lifted", row["refs"], row["case_id"], now, _scope(row), by, evidence
        )
    return True


def _record(
    conn: Connection,
    run_id: str,
    principal: Principal,
    reason: Suppression,
    change: str,
    refs: int,
    case_id: str | None,
    now: datetime,
    scope: Scope,
    by: str | None = None,
    evidence: str | None = None,
) -> None:
    body = SuppressionChanged(
        run_id=run_id,
        principal=principal,
        reason=reason.value,
        change=change,
        references=refs,
        case_id=case_id,
        changed_at=utc_text(now),
        purposes=tuple(sorted(scope.purposes)),
        bases=tuple(sorted(scope.bases)),
        channel=scope.channel,
        by=by,
        evidence_sha256=evidence,
    )
    append(conn, chain=f"principal.{principal}", kind=EntryKind.SUPPRESSION_CHANGED, exchange_id=None, body=body)


def _scope(row: Mapping[str, Any]) -> Scope:
    return Scope(frozenset(row["purposes"]), frozenset(row["bases"]), row["channel"])


def find_suppressed(
    house: House, principal: Principal, needs: Sequence[Need] | None = None, *, channel: str | None = None
) -> "pl.DataFrame | None":
    """Everybody who must stay out of this principal's files now (ref, reason); None when nobody.

    needs: what the file is for; without them whatever anybody said counts. channel: only what reaches it.
    """
    import polars as pl

    rows = house.conn.execute(
        """select bucket, key, version_id, purposes, bases, channel from suppression_run
           where principal = %(principal)s and lifted_at is null
             and (%(channel)s::text is null or channel is null or channel = %(channel)s) order by run_id""",
        {"principal": principal, "channel": channel},
    ).fetchall()
    if not rows:
        return None
    runs = [
        pl.read_parquet(io.BytesIO(house.objects.read(row["bucket"], row["key"], row["version_id"]))) for row in rows
    ]
    if needs is None:
        return merge_suppressions(runs)
    return sift(list(zip(runs, map(_scope, rows), strict=True)), needs)


def write_suppressed(house: House, principal: Principal, folder: Path, needs: Sequence[Need]) -> Path | None:
    """The same as a Parquet file for the child that judges."""
    suppressed = find_suppressed(house, principal, needs)
    if suppressed is None:
        return None
    path = folder / "suppressed.parquet"
    suppressed.write_parquet(path, statistics=False)
    return path


def find_reasons(
    house: House, principal: Principal, refs: frozenset[str], channel: str | None = None
) -> tuple[str, ...]:
    """Why somebody with one of these references is kept out; empty when they are not. channel: of the agreement."""
    suppressed = find_suppressed(house, principal, channel=channel)
    if suppressed is None:
        return ()
    return tuple(sorted(set(suppressed.filter(suppressed["ref"].is_in(sorted(refs)))["reason"].to_list())))


def was_lifted(conn: Connection, principal: Principal, since: datetime) -> bool:
    """Whether a suppression of this principal ended after an instant."""
    row = conn.execute(
        "select exists (select from suppression_run where principal = %s and lifted_at > %s) as lifted",
        (principal, since),
    ).fetchone()
    return bool(row and row["lifted"])


def made_at(conn: Connection, run_id: str) -> datetime:
    """Since when the persons of a run are kept out. Raises NotFound."""
    row = conn.execute("select made_at from suppression_run where run_id = %s", (run_id,)).fetchone()
    if row is None:
        raise NotFound(Ref("suppression run", run_id))
    at: datetime = row["made_at"]
    return at
