"""Answers to controllers in PostgreSQL: wishes of persons, and the exchanges that carried a package."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sluice.answers.handover_model import Handed, Handover, Receiver, Wish
from sluice.answers.model import AnswerKind
from sluice.db import Connection
from sluice.exchange.made_here import MadeHere, insert_made_here
from sluice.exchange.model import Opened
from sluice.exchange.store import COLUMNS, opened_of
from sluice.ledger.copy_kinds import HANDED
from sluice.rights.case.model import CaseId, State, SubCaseId
from sluice.terms import Direction, ExchangeId, Flow, Principal

NAME = "handover-"
"""Stands before the case id in the place of an object version, because nothing arrives."""


def insert_wish(conn: Connection, wish: Wish) -> bool:
    """Note what a person asked; return False when that is noted already. Call in the transaction that logs it."""
    row = conn.execute(
        """insert into handover_wish (case_id, controller, reference, noted_by, noted_at)
           values (%s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (wish.case_id, wish.controller, wish.reference, wish.noted_by, wish.noted_at),
    ).fetchone()
    return row is not None


def find_wishes(conn: Connection, case_id: CaseId) -> list[Wish]:
    """Find the controllers that a person asked to send their data to, the first wish first."""
    rows = conn.execute(
        """select case_id::text as case_id, controller, reference, noted_by, noted_at from handover_wish
           where case_id = %s order by noted_at, controller""",
        (case_id,),
    ).fetchall()
    return [Wish(**{**row, "case_id": CaseId(row["case_id"])}) for row in rows]


def insert_open(
    conn: Connection, handover: Handover, bucket: str, key: str, chain: str, opened_at: datetime
) -> Opened | None:
    """Open the exchange of a handover; return None when it has one. Call inside a transaction."""
    kind, direction, name = handover.kind.value, Direction.PORTABILITY_ACCESS, f"{NAME}{handover.case_id}"
    made = MadeHere(handover.principal, direction, Flow(kind), bucket, key, name, chain, opened_at)
    opened = insert_made_here(conn, made)
    if opened is not None:
        conn.execute(
            "insert into handover (exchange_id, case_id, kind, receiver, name) values (%s, %s, %s, %s, %s)",
            (opened.exchange_id, handover.case_id, kind, handover.receiver.code, handover.receiver.name),
        )
    return opened


def find_opened(conn: Connection, handover: Handover) -> Opened | None:
    """The exchange of a handover, if it has one."""
    columns = ", ".join(f"e.{name.strip()}" for name in COLUMNS.split(","))
    row = conn.execute(
        f"""select {columns} from exchange e join handover h using (exchange_id)
            where h.case_id = %s and h.kind = %s and h.receiver = %s and e.principal = %s""".encode(),
        (handover.case_id, handover.kind.value, handover.receiver.code, handover.principal),
    ).fetchone()
    return opened_of(row) if row else None


def find_left(conn: Connection) -> list[tuple[Opened, Handover]]:
    """Handovers that a dead worker left open and whose case is over: nothing will go any more."""
    columns = ", ".join(f"e.{name.strip()}" for name in COLUMNS.split(","))
    rows = conn.execute(
        f"""select {columns}, h.case_id::text as case_id, h.kind, h.receiver, h.name
            from handover h join exchange e using (exchange_id) join subject_case c using (case_id)
            where e.decision = 'open' and c.state = any(%s) order by e.opened_at""".encode(),
        ([state.value for state in State if state.is_over],),
    ).fetchall()
    return [(opened_of(dict(row)), _left(row)) for row in rows]


def _left(row: Mapping[str, Any]) -> Handover:
    receiver = Receiver(row["receiver"], row["name"], country=None, place="")
    return Handover(CaseId(row["case_id"]), AnswerKind(row["kind"]), Principal(row["principal"]), receiver)


def note_package(conn: Connection, exchange_id: ExchangeId, parts: Sequence[SubCaseId], sha256: str | None) -> None:
    """Note what a handover answers, before its exchange closes; this overwrites what a dead worker noted."""
    conn.execute(
        "update handover set sub_cases = %s::uuid[], sha256 = %s where exchange_id = %s",
        (list(parts), sha256, exchange_id),
    )


def find_handed(conn: Connection, case_id: CaseId) -> list[Handed]:
    """Find every handover of a case, the oldest first."""
    columns = ", ".join(f"e.{name.strip()}" for name in COLUMNS.split(","))
    rows = conn.execute(
        f"""select {columns}, h.case_id::text as case_id, h.kind, h.receiver, h.name, h.sub_cases::text[] as sub_cases,
                h.sha256 as package, c.delete_after::text as delete_after, c.gone_at is null and c.kind is not null
                    as is_there
            from handover h join exchange e using (exchange_id)
            left join copy c on c.exchange_id = h.exchange_id and c.kind = %s
            where h.case_id = %s order by e.opened_at, e.exchange_id""".encode(),
        (HANDED, case_id),
    ).fetchall()
    return [_handed(row) for row in rows]


def _handed(row: Mapping[str, Any]) -> Handed:
    return Handed(
        opened=opened_of(dict(row)),
        case_id=CaseId(row["case_id"]),
        kind=AnswerKind(row["kind"]),
        receiver=row["receiver"],
        name=row["name"],
        sub_cases=tuple(map(SubCaseId, row["sub_cases"])),
        sha256=row["package"],
        delete_after=row["delete_after"],
        is_there=row["is_there"],
    )
