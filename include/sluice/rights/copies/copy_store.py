"""SQL of the catalogue of copies, as an erasure reads it; and which case is taken up next."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.in_force.changes import list_changes
from sluice.agreement.in_force.store import in_force
from sluice.agreement.model import DataContract
from sluice.db import Connection
from sluice.exchange import catalogue
from sluice.exchange.given_back import day_of_paper
from sluice.exchange.review import is_back_key
from sluice.exchange.stop_store import ASKED_AT
from sluice.ledger.copy_kinds import DIAL_KEPT, DIALLED
from sluice.ledger.record import is_given_back
from sluice.rights.case.model import CaseId
from sluice.rights.case.states import TO_CARRY_OUT
from sluice.rights.copies import answer_store
from sluice.rights.copies.model import ANSWER, Column, Copy
from sluice.terms import Direction, ExchangeId, Flow, Principal

OF_E, OF_H = (ASKED_AT.replace("exchange.", f"{name}.") for name in "eh")


def find_copies(
    conn: Connection, principal: Principal, *, with_gone: bool = False, among: Collection[ExchangeId] | None = None
) -> list[Copy]:
    """Every copy of a principal that is still there, with the contract of its exchange; answers come last.

    among: only copies of these exchanges and answers.
    """
    rows = conn.execute(
        f"""select c.exchange_id::text as id, c.kind, e.direction, e.flow, c.bucket,
               case when c.kind = 'arrived' then e.key else c.key end as key, c.version_id, c.sha256,
               case when h.exchange_id is null then {OF_E} else {OF_H} end as asked_at,
               e.closed_at, e.version_id as named, e.day, e.key as arrived_as
           from copy c join exchange e using (exchange_id)
           left join review r on (r.bucket, r.key) = (e.bucket, e.key)
           left join exchange h on h.exchange_id = r.exchange_id  -- rows that come back are under its paper
           where e.principal = %(principal)s and (%(gone)s or c.gone_at is null)
             and (%(among)s::uuid[] is null or c.exchange_id = any(%(among)s))
           order by e.opened_at, c.exchange_id, c.kind""",
        {"principal": principal, "gone": with_gone, "among": None if among is None else list(among)},
    ).fetchall()
    papers = _Papers(conn, principal, list_changes(conn, principal))
    answers = answer_store.find_copies(conn, principal, with_gone=with_gone, among=among)
    return [*(_copy(row, papers) for row in rows), *answers]


@dataclass(frozen=True, slots=True)
class _Papers:
    """Contracts of one principal, each looked up once. ``changes``: instants at which other contracts became known."""

    conn: Connection
    principal: Principal
    changes: Sequence[datetime]
    found: dict[tuple[Direction, Flow, date, int], DataContract | None] = field(default_factory=dict)

    def of(self, direction: Direction, flow: Flow, on: date, known_at: datetime) -> DataContract | None:
        """The contract in force on a day, as known at an instant."""
        name = (direction, flow, on, bisect_right(self.changes, known_at))
        if name not in self.found:
            self.found[name] = in_force(self.conn, self.principal, direction, flow, on, known_at).contract
        return self.found[name]


def _copy(row: dict[str, Any], papers: _Papers) -> Copy:
    direction, flow, asked = Direction(row["direction"]), Flow(row["flow"]), row["asked_at"]
    on = day_of_paper(direction, row["named"], asked, row["day"])
    contract = papers.of(direction, flow, on, asked)
    if row["kind"] in (DIALLED, DIAL_KEPT):
        contract = _of_list(papers.of(Direction.INBOUND, flow, on, asked), row["key"])
    elif is_back_key(row["arrived_as"]):
        contract = _of_list(contract, row["arrived_as"])
    elif is_given_back(direction, row["named"]):
        theirs = papers.of(Direction.INBOUND, flow, row["day"], asked)
        name_of_file = row["key"].removesuffix(".pgp")
        is_as_agreed = theirs is not None and name_of_file.endswith(f".{theirs.file_format.format}")
        contract = theirs if is_as_agreed else _of_list(theirs, name_of_file)
    return Copy(
        exchange_id=ExchangeId(row["id"]),
        kind=row["kind"],
        direction=direction,
        flow=flow,
        bucket=row["bucket"],
        key=row["key"],
        version_id=row["version_id"],
        sha256=row["sha256"],
        contract=contract,
        columns=_columns(papers, contract, on, asked),
        closed_at=row["closed_at"],
    )


def _of_list(contract: DataContract | None, key: str) -> DataContract | None:
    """The contract of a dial list or of rows released by a review: columns of the flow, format of the name."""
    if contract is None:
        return None
    form, wanted = contract.file_format, key.rpartition(".")[2]
    delimiter = form.delimiter if wanted == "csv" else None
    return replace(contract, file_format=replace(form, format=wanted, delimiter=delimiter, encoding=None, sheet=None))


def _columns(papers: _Papers, contract: DataContract | None, on: date, known_at: datetime) -> tuple[Column, ...]:
    """The columns that can name a person."""
    if contract is None:
        return ()
    contacts = None
    if contract.recipe is not None:
        contacts = papers.of(Direction.INBOUND, contract.recipe.contacts_flow, on, known_at)
    return tuple(Column(name, kind) for name, kind in naming_columns(contract, contacts).items())


def find_alike(conn: Connection, principal: Principal, copy: Copy) -> list[ExchangeId]:
    """The exchange of a copy, and those in which the same bytes arrived: the runs of one count for all."""
    rows = conn.execute(
        """select distinct exchange_id::text as id from copy join exchange using (exchange_id)
           where principal = %s and kind = 'arrived' and copy.sha256 = %s and %s = 'arrived' and copy.sha256 <> ''""",
        (principal, copy.sha256, copy.kind),
    ).fetchall()
    return list(dict.fromkeys([copy.exchange_id, *(ExchangeId(row["id"]) for row in rows)]))


def is_refused(conn: Connection, copy: Copy) -> bool:
    """Whether a whole file was refused or could not be judged, so that no row of it is anywhere else or in an index."""
    row = conn.execute(
        "select decision in ('refused', 'undecided') as is_so from exchange where exchange_id = %s", (copy.exchange_id,)
    ).fetchone()
    return row is not None and row["is_so"] is True


def refreshed(conn: Connection, copy: Copy) -> Copy | None:
    """The copy as the catalogue has it now; None if it is gone."""
    if copy.kind == ANSWER:
        return answer_store.find_copy(conn, copy.exchange_id)
    current = catalogue.find_version(conn, copy.exchange_id, copy.kind)
    return replace(copy, version_id=current[0], sha256=current[1]) if current else None


def find_principals(conn: Connection) -> list[Principal]:
    """Principals that have copies or persons who are kept out, except those whose keys were destroyed."""
    rows = conn.execute(
        """(select principal from exchange join copy using (exchange_id) where gone_at is null
            union select principal from suppression_run where lifted_at is null)
           except select principal from key_destruction where destroyed_at is not null order by 1"""
    ).fetchall()
    return [Principal(row["principal"]) for row in rows]


def find_kinds(conn: Connection, principal: Principal) -> list[str]:
    """The kinds of copies that a principal has."""
    rows = conn.execute(
        """select distinct c.kind from copy c join exchange e using (exchange_id)
           where e.principal = %s and c.gone_at is null order by 1""",
        (principal,),
    ).fetchall()
    return [row["kind"] for row in rows]


def has_sealed(conn: Connection, principal: Principal) -> bool:
    """Whether any copy of a principal is sealed under its quarantine key."""
    return any(kind.startswith("quarantine.") for kind in find_kinds(conn, principal))


def find_decided(conn: Connection) -> list[CaseId]:
    """Cases with a part whose erasure was decided and is not done yet, in the order in which they are taken up.

    First come those that no run has taken up yet, oldest first, then those that were taken up longest ago.
    """
    rows = conn.execute(
        """select c.case_id::text as id from subject_case c
           where exists (select from sub_case p where p.case_id = c.case_id and p.action = 'erase'
               and p.state = any(%s::text[]))
           order by c.taken_up_at nulls first, c.opened_at, c.case_id""",
        (list(TO_CARRY_OUT),),
    ).fetchall()
    return [CaseId(row["id"]) for row in rows]


def note_taken_up(conn: Connection, case_ids: Sequence[CaseId]) -> None:
    """Note that a run takes up these cases now, whatever its result."""
    conn.execute("update subject_case set taken_up_at = now() where case_id = any(%s)", (list(case_ids),))
