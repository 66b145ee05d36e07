"""SQL of outcomes: what a case did to each copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.rights.copies.model import Done, Outcome, Target
from sluice.terms import Principal


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """What a case did in one store of a principal: how many copies had this outcome, and their rows.

    ``ground``: why a copy was kept or removed whole; None if it was edited.
    """

    principal: Principal
    store: str
    outcome: Outcome
    ground: str | None
    objects: int
    rows_before: int
    rows_after: int


def note_outcome(conn: Connection, case_id: str, target: Target, done: Done) -> None:
    """Note what was done to one copy. The first outcome in a case stays, because a rerun finds nothing more to do.

    Only a copy that was kept may go later, once everybody has decided.
    """
    conn.execute(
        """insert into erasure_outcome as was (case_id, principal, store, exchange_id, kind, outcome, ground,
               rows_before, rows_after, done_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, now())
           on conflict (case_id, exchange_id, kind) do update set store = excluded.store, outcome = excluded.outcome,
               ground = excluded.ground, rows_before = excluded.rows_before, rows_after = excluded.rows_after,
               done_at = excluded.done_at
           where was.outcome = 'kept' and excluded.outcome <> 'kept'""",
        (
            case_id,
            target.principal,
            done.place.store,
            done.place.copy.exchange_id,
            done.place.copy.kind,
            done.outcome.value,
            done.ground,
            done.rows_before,
            done.rows_after,
        ),
    )


def read_outcomes(conn: Connection, case_id: str) -> list[OutcomeLine]:
    """What a case did, added up by principal, store, outcome and ground."""
    rows = conn.execute(
        """select principal, store, outcome, ground, count(*) as objects, sum(rows_before)::bigint as rows_before,
               sum(rows_after)::bigint as rows_after
           from erasure_outcome where case_id = %s group by 1, 2, 3, 4 order by 1, 2, 3, 4""",
        (case_id,),
    ).fetchall()
    return [OutcomeLine(**row | {"outcome": Outcome(row["outcome"])}) for row in rows]


def find_cleared(conn: Connection, case_id: str, principals: Sequence[str], at: datetime) -> frozenset[tuple[str, str]]:
    """Copies (exchange and kind) at these principals that a case had edited or removed by a moment."""
    rows = conn.execute(
        """select exchange_id::text as id, kind from erasure_outcome
           where case_id = %s and principal = any(%s) and outcome <> 'kept' and done_at <= %s""",
        (case_id, list(principals), at),
    ).fetchall()
    return frozenset((row["id"], row["kind"]) for row in rows)
