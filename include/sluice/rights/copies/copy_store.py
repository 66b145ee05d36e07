"""SQL and object writes of erasing: list the copies, and replace or remove one."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.in_force.changes import list_changes
from sluice.agreement.in_force.store import in_force
from sluice.agreement.model import DataContract
from sluice.db import Connection, transaction
from sluice.exchange import catalogue, outbox
from sluice.exchange.given_back import day_of_paper
from sluice.exchange.house import House
from sluice.exchange.locks import IS_WORKED_ON
from sluice.exchange.own_writes import find_own_writes, is_own, note_own_write, pin_own_write
from sluice.exchange.persons.merged import RUNS, sweep_merged
from sluice.exchange.persons.merged_store import find_group
from sluice.exchange.review import is_back_key
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import hash_of, prefix_of
from sluice.lake.s3.versions import said_of
from sluice.ledger.copy_kinds import ARRIVED, DIAL_KEPT, DIALLED
from sluice.ledger.record import is_given_back
from sluice.media_types import OCTETS
from sluice.rights.case.model import CaseId
from sluice.rights.copies import answer_store
from sluice.rights.copies.model import ANSWER, Column, Copy, Done, Target
from sluice.rights.copies.scope import OPEN_DECISIONS
from sluice.terms import Direction, ExchangeId, Flow, Principal

LeadBy = Literal["index", "scan"]


def find_copies(
    conn: Connection, principal: Principal, *, with_gone: bool = False, among: Collection[ExchangeId] | None = None
) -> list[Copy]:
    """Every copy of a principal that is still there, with the contract of its exchange; answers come last.

    among: only copies of these exchanges and answers.
    """
    rows = conn.execute(
        """select c.exchange_id::text as id, c.kind, e.direction, e.flow, c.bucket,
               case when c.kind = 'arrived' then e.key else c.key end as key, c.version_id, c.sha256,
               e.opened_at, e.closed_at, e.version_id as named, e.day, e.key as arrived_as
           from copy c join exchange e using (exchange_id)
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
    direction, flow, opened = Direction(row["direction"]), Flow(row["flow"]), row["opened_at"]
    on = day_of_paper(direction, row["named"], opened, row["day"])
    contract = papers.of(direction, flow, on, opened)
    if row["kind"] in (DIALLED, DIAL_KEPT):
        contract = _of_list(papers.of(Direction.INBOUND, flow, on, opened), row["key"])
    elif is_back_key(row["arrived_as"]):
        contract = _of_list(contract, row["arrived_as"])
    elif is_given_back(direction, row["named"]):
        theirs = papers.of(Direction.INBOUND, flow, row["day"], opened)
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
        columns=_columns(papers, contract, on, opened),
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


def swap(house: House, copy: Copy, edited: Path, rows: int | None) -> None:
    """Put the edited file in the place of a copy, and remove every other version of it for good.

    The write is noted before it is made, so that no poll takes it for an arrival. A rerun finds its own bytes.
    """
    content = edited.read_bytes()
    sha256, size_bytes = hash_of(content)
    note_own_write(house.conn, copy.bucket, copy.key, sha256)
    stored = house.objects.put_converging(copy.bucket, copy.key, content, OCTETS)
    pin_own_write(house.conn, copy.bucket, copy.key, sha256, stored.version_id)
    with transaction(house.conn):
        house.conn.execute(
            """update copy set version_id = %s, sha256 = %s, size_bytes = %s, rows = coalesce(%s, rows)
               where exchange_id = %s and kind = %s""",
            (stored.version_id, sha256, size_bytes, rows, copy.exchange_id, copy.kind),
        )
        outbox.tell_changed(house.conn, copy.exchange_id)
    drop_superseded(house, copy)


def remove(house: House, copy: Copy) -> None:
    """Remove a copy's object for good. Its line in the catalogue stays."""
    if copy.kind == ANSWER:
        answer_store.mark_gone(house.conn, copy.exchange_id, "erasure", datetime.now(UTC))
    with transaction(house.conn):
        house.conn.execute(
            "update copy set gone_at = now() where exchange_id = %s and kind = %s", (copy.exchange_id, copy.kind)
        )
        outbox.tell_changed(house.conn, copy.exchange_id)
    drop_superseded(house, copy)


def find_superseded(house: House, principal: Principal) -> list[Copy]:
    """Copies, gone or not, whose key has a version that is not a copy. Each prefix is listed once."""
    named = {ObjectVersion.of(copy) for copy in find_copies(house.conn, principal)}
    every = find_copies(house.conn, principal, with_gone=True)
    prefixes = {(copy.bucket, _prefix_of(copy.key)) for copy in every}
    there = (item for bucket, prefix in sorted(prefixes) for item in house.objects.list_versions(bucket, prefix))
    beside = {(item.bucket, item.key) for item in there if ObjectVersion.of(item) not in named}
    return [copy for copy in every if (copy.bucket, copy.key) in beside]


def _prefix_of(key: str) -> str:
    """The principal's own prefix, or the one with its name below a prefix of ours."""
    return prefix_of(*key.split("/")[: 2 if key.startswith("_") else 1])


def drop_superseded(house: House, copy: Copy) -> int:
    """Remove versions of a copy's key that no line of the catalogue names any more; return how many.

    Merges made of an index run as it was are removed first: a rerun returns to them for as long as the run's old
    version is there. Where files arrive, a key may also have versions of other exchanges, and one that nobody has
    opened yet. There, only versions go that arrived in an exchange or that we put there, and that no line names.
    """
    if copy.kind == ANSWER:
        there = answer_store.find_copy(house.conn, copy.exchange_id)
        if there is None:
            house.objects.delete_others(copy.bucket, answer_store.index_key_of(copy.key), frozenset())
        return house.objects.delete_others(copy.bucket, copy.key, frozenset({there.version_id} if there else ()))
    if copy.kind in RUNS:
        sweep_merged(house, *find_group(house.conn, copy.exchange_id))
    rows = house.conn.execute(
        """select c.version_id as named, e.version_id as arrived, c.gone_at is null as is_there
           from copy c join exchange e using (exchange_id) where (c.bucket, c.key) = (%(bucket)s, %(key)s)
           union
           select c.version_id, e.version_id, c.gone_at is null
           from exchange e join copy c on (c.exchange_id, c.kind, c.bucket) = (e.exchange_id, 'arrived', e.bucket)
           where (e.bucket, e.key) = (%(bucket)s, %(key)s)""",
        {"bucket": copy.bucket, "key": copy.key},
    ).fetchall()
    named = frozenset(row["named"] for row in rows if row["is_there"])
    known = named | {row["arrived"] for row in rows}
    if copy.kind != ARRIVED:
        return house.objects.delete_others(copy.bucket, copy.key, named)
    return house.objects.delete_others(copy.bucket, copy.key, named | _of_others(house, copy, known))


def _of_others(house: House, copy: Copy, known: Collection[str]) -> frozenset[str]:
    """Versions under the key of an arrived file that nobody has opened yet and that we did not put there."""
    listed = house.objects.list_versions(copy.bucket, copy.key)
    there = [replace(item, key=copy.key) for item in listed if said_of(copy.key) == said_of(item.key)]
    own = find_own_writes(house.conn, there).get((copy.bucket, copy.key), ())
    return frozenset(
        item.version_id
        for item in there
        if item.version_id not in known and not is_own(house.objects, item, own, with_twins=True)
    )


def find_leads(conn: Connection, target: Target) -> frozenset[ExchangeId]:
    """Exchanges whose copies a case opens at a principal, whatever the index says about them."""
    rows = conn.execute(
        "select exchange_id::text as id from erasure_lead where case_id = %s and principal = %s",
        (target.case_id, target.principal),
    ).fetchall()
    return frozenset(ExchangeId(row["id"]) for row in rows)


def note_leads(conn: Connection, target: Target, exchanges: Iterable[ExchangeId], found_by: LeadBy) -> None:
    """Add exchanges to these leads. A lead that was noted before stays as it is."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into erasure_lead (case_id, principal, exchange_id, found_by, noted_at)
               values (%s, %s, %s, %s, now()) on conflict do nothing""",
            [(target.case_id, target.principal, exchange_id, found_by) for exchange_id in sorted(exchanges)],
        )


def note_outcome(conn: Connection, case_id: str, target: Target, done: Done) -> None:
    """Note what was done to one copy. The first outcome in a case stays, because a rerun finds nothing more to do."""
    conn.execute(
        """insert into erasure_outcome (case_id, principal, store, exchange_id, kind, outcome, ground, rows_before,
               rows_after, done_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, now()) on conflict do nothing""",
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


def read_outcomes(conn: Connection, case_id: str) -> list[dict[str, Any]]:
    """What a case did, added up by principal, store, outcome and ground."""
    return conn.execute(
        """select principal, store, outcome, ground, count(*) as objects, sum(rows_before)::bigint as rows_before,
               sum(rows_after)::bigint as rows_after
           from erasure_outcome where case_id = %s group by 1, 2, 3, 4 order by 1, 2, 3, 4""",
        (case_id,),
    ).fetchall()


def find_cleared(conn: Connection, case_id: str, principals: Sequence[str], at: datetime) -> frozenset[tuple[str, str]]:
    """Copies (exchange and kind) at these principals that a case had edited or removed by a moment."""
    rows = conn.execute(
        """select exchange_id::text as id, kind from erasure_outcome
           where case_id = %s and principal = any(%s) and outcome <> 'kept' and done_at <= %s""",
        (case_id, list(principals), at),
    ).fetchall()
    return frozenset((row["id"], row["kind"]) for row in rows)


def find_in_flight(conn: Connection, principal: Principal, since: datetime) -> frozenset[ExchangeId]:
    """Exchanges opened before the person was kept out that may still bring or deliver rows.

    One that lies prepared does not count: if it names the person it is made again, and otherwise it brings nothing.
    An answer to a controller counts only while somebody is making it, whenever it was opened. If nobody is, whoever
    continues it gathers its data again, and gives up while an erasure runs. If an erasure waited for that as well,
    neither would ever end.
    """
    rows = conn.execute(
        f"""select exchange_id::text as id from exchange e where principal = %(principal)s and (
                case when decision = 'open' and direction = %(answer)s then {IS_WORKED_ON}
                else opened_at < %(since)s and (decision = 'open' and prepared_at is null or exists (
                    select from outbox o where o.exchange_id = e.exchange_id
                    and o.effect in ('delivery', 'dial') and o.done_at is null)) end)""".encode(),
        {"principal": principal, "answer": Direction.PORTABILITY_ACCESS, "since": since},
    ).fetchall()
    return frozenset(ExchangeId(row["id"]) for row in rows)


def find_under_way(conn: Connection, principal: Principal, since: datetime) -> dict[ExchangeId, ObjectVersion]:
    """Exchanges that are open or ended after ``since``, each with its object.

    None of their copies was known before they ended. Prepared ones and answers are left out, for the reasons in
    :func:`find_in_flight`.
    """
    rows = conn.execute(
        """select exchange_id::text as id, bucket, key, version_id from exchange
           where principal = %s and direction <> %s
             and (decision = 'open' and prepared_at is null or closed_at > %s)""",
        (principal, Direction.PORTABILITY_ACCESS, since),
    ).fetchall()
    return {ExchangeId(row["id"]): ObjectVersion(row["bucket"], row["key"], row["version_id"]) for row in rows}


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


def find_stuck(conn: Connection, principal: Principal) -> list[tuple[ExchangeId, str]]:
    """Exchanges under way whose last try, delivery or receipt of it failed, each with the code; at most 20."""
    rows = conn.execute(
        """select e.exchange_id::text as id, coalesce(o.last_error, e.last_error) as code
           from exchange e left join outbox d on d.exchange_id = e.exchange_id and d.effect = 'delivery'
               and d.done_at is null
           left join outbox o on o.exchange_id = d.exchange_id and o.effect in ('receipt', 'delivery')
               and o.done_at is null and o.last_error is not null
           where e.principal = %s
             and (o.last_error is not null or (e.decision = 'open' and e.last_error is not null))
           order by e.opened_at limit 20""",
        (principal,),
    ).fetchall()
    return [(ExchangeId(row["id"]), row["code"]) for row in rows]


def find_decided(conn: Connection) -> list[CaseId]:
    """Cases with a part whose erasure was decided and is not done yet, in the order in which they are taken up.

    First come those that no run has taken up yet, oldest first, then those that were taken up longest ago.
    """
    rows = conn.execute(
        """select c.case_id::text as id from subject_case c
           where exists (select from sub_case p where p.case_id = c.case_id and p.action = 'erase'
               and p.state = any(%s::text[]))
           order by c.taken_up_at nulls first, c.opened_at, c.case_id""",
        (list(OPEN_DECISIONS),),
    ).fetchall()
    return [CaseId(row["id"]) for row in rows]


def note_taken_up(conn: Connection, case_ids: Sequence[CaseId]) -> None:
    """Note that a run takes up these cases now, whatever its result."""
    conn.execute("update subject_case set taken_up_at = now() where case_id = any(%s)", (list(case_ids),))
