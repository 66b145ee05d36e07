"""The SQL of merged index runs: where the parts of a merge lie and which runs it answers for, never whose they are."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.db import Connection, transaction
from sluice.ledger.copy_kinds import CopyName
from sluice.terms import Direction, ExchangeId, Principal


@dataclass(frozen=True, slots=True)
class Run:
    """One version of an index run. ``merge_id``: the merge that answers for it, if there is one."""

    exchange_id: ExchangeId
    kind: str
    bucket: str
    key: str
    version_id: str
    sha256: str
    size_bytes: int
    direction: Direction
    merge_id: str | None

    @property
    def name(self) -> CopyName:
        """The name by which a merge knows it."""
        return CopyName(self.exchange_id, self.kind, self.version_id)


@dataclass(frozen=True, slots=True)
class Member:
    """A run in a merge: its number there, and whether it knows every row of its file."""

    number: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge and the runs that it answers for."""

    merge_id: str
    bits: int
    members: Mapping[CopyName, Member]


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a merge."""

    number: int
    key: str
    version_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Made:
    """A merge whose objects were put."""

    merge_id: str
    principal: Principal
    month: str
    bits: int
    parts: Sequence[Part]
    at: datetime


MONTH = "to_char(e.opened_at at time zone 'Europe/Brussels', 'YYYY-MM')"
BEGIN, END = (
    f"((%(month)s || '-01')::timestamp + interval '{months} months') at time zone 'Europe/Brussels'"
    for months in (0, 1)
)
"""SQL: begin and end of the month that is asked for, in a form that an index can use."""


def find_runs(conn: Connection, principal: Principal, kinds: Collection[str], month: str | None = None) -> list[Run]:
    """Runs of a principal that are there, the oldest exchange first; ``month``: only of exchanges opened in it."""
    rows = conn.execute(
        f"""select c.exchange_id::text as exchange_id, c.kind, c.bucket, c.key, c.version_id, c.sha256, c.size_bytes,
               e.direction, r.merge_id::text as merge_id
           from copy c join exchange e using (exchange_id)
           left join index_merge_run r
               on (r.exchange_id, r.kind, r.version_id) = (c.exchange_id, c.kind, c.version_id)
           where e.principal = %(principal)s and c.kind = any(%(kinds)s) and c.gone_at is null
             and (%(month)s::text is null or {MONTH} = %(month)s and e.opened_at >= {BEGIN} and e.opened_at < {END})
           order by e.opened_at, c.exchange_id, c.kind""",
        {"principal": principal, "kinds": list(kinds), "month": month},
    ).fetchall()
    return [_run(row) for row in rows]


def count_new(
    conn: Connection, principal: Principal, kinds: Collection[str], month: str, since: datetime, most_bytes: int
) -> int:
    """Count runs of fewer bytes that no merge answers for, of exchanges opened in a month and ``since`` a moment."""
    row = conn.execute(
        f"""select count(*) as n from exchange e join copy c using (exchange_id)
           where e.principal = %(principal)s and e.opened_at >= greatest(%(since)s, {BEGIN}) and e.opened_at < {END}
             and c.kind = any(%(kinds)s) and c.gone_at is null and c.size_bytes < %(most)s and not exists (
               select from index_merge_run r
               where (r.exchange_id, r.kind, r.version_id) = (c.exchange_id, c.kind, c.version_id))""",
        {"principal": principal, "kinds": list(kinds), "month": month, "since": since, "most": most_bytes},
    ).fetchone()
    assert row is not None  # a count is one row
    return int(row["n"])


def _run(row: dict[str, Any]) -> Run:
    return Run(**{**row, "exchange_id": ExchangeId(row["exchange_id"]), "direction": Direction(row["direction"])})


def find_principals(conn: Connection, kinds: Collection[str]) -> list[Principal]:
    """Principals that have runs, or merges of them."""
    rows = conn.execute(
        """select e.principal from copy c join exchange e using (exchange_id)
           where c.kind = any(%s) and c.gone_at is null
           union select principal from index_merge order by 1""",
        (list(kinds),),
    ).fetchall()
    return [Principal(row["principal"]) for row in rows]


def find_months(conn: Connection, principal: Principal, kinds: Collection[str] = ()) -> list[str]:
    """Months (``2026-11``) in which a principal has merges, or exchanges with runs of these kinds."""
    rows = conn.execute(
        f"""select {MONTH} as month from copy c join exchange e using (exchange_id)
            where e.principal = %s and c.kind = any(%s) and c.gone_at is null
            union select month from index_merge where principal = %s order by 1""",
        (principal, list(kinds), principal),
    ).fetchall()
    return [row["month"] for row in rows]


def find_group(conn: Connection, exchange_id: ExchangeId) -> tuple[Principal, str]:
    """Return whose an exchange is, and the month of its runs."""
    row = conn.execute(
        f"select e.principal, {MONTH} as month from exchange e where e.exchange_id = %s", (exchange_id,)
    ).fetchone()
    assert row is not None  # it has a copy
    return Principal(row["principal"]), row["month"]


def find_merges(conn: Connection, principal: Principal) -> list[Merge]:
    """Merges of a principal that can be asked."""
    rows = conn.execute(
        """select m.merge_id::text as merge_id, m.bits, r.exchange_id::text as exchange_id, r.kind, r.version_id,
               r.number, r.is_whole
           from index_merge m join index_merge_run r using (merge_id)
           where m.principal = %s order by m.made_at, m.merge_id""",
        (principal,),
    ).fetchall()
    members: dict[tuple[str, int], dict[CopyName, Member]] = defaultdict(dict)
    for row in rows:
        name = CopyName(row["exchange_id"], row["kind"], row["version_id"])
        members[row["merge_id"], row["bits"]][name] = Member(row["number"], row["is_whole"])
    return [Merge(merge_id, bits, mine) for (merge_id, bits), mine in members.items()]


def find_parts(conn: Connection, merge_id: str, numbers: Sequence[int]) -> list[Part]:
    """Some parts of a merge; those of one that was removed meanwhile are missing."""
    rows = conn.execute(
        """select part as number, key, version_id, sha256 from index_merge_part
           where merge_id = %s and part = any(%s) order by part""",
        (merge_id, list(numbers)),
    ).fetchall()
    return [Part(**row) for row in rows]


def find_objects(conn: Connection, principal: Principal, month: str) -> dict[str, frozenset[tuple[str, str]]]:
    """Key and version of every part, by merge."""
    rows = conn.execute(
        """select merge_id::text as merge_id, key, version_id from index_merge_part join index_merge using (merge_id)
           where principal = %s and month = %s""",
        (principal, month),
    ).fetchall()
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        found[row["merge_id"]].add((row["key"], row["version_id"]))
    return {merge_id: frozenset(parts) for merge_id, parts in found.items()}


def find_outdated(conn: Connection, principal: Principal, month: str) -> frozenset[str]:
    """Merges with a run that was edited or removed since. Call under their lock."""
    rows = conn.execute(
        """select m.merge_id::text as merge_id from index_merge m
           where m.principal = %s and m.month = %s and exists (
               select from index_merge_run r where r.merge_id = m.merge_id and not exists (
                   select from copy c where (c.exchange_id, c.kind, c.version_id)
                       = (r.exchange_id, r.kind, r.version_id) and c.gone_at is null))""",
        (principal, month),
    ).fetchall()
    return frozenset(row["merge_id"] for row in rows)


def note_made(conn: Connection, made: Made, runs: Sequence[tuple[Run, Member]]) -> None:
    """Note a merge: from now on it is asked instead of its runs."""
    merge_id = made.merge_id
    with transaction(conn), conn.cursor() as cursor:
        cursor.execute(
            "insert into index_merge (merge_id, principal, month, bits, made_at) values (%s, %s, %s, %s, %s)",
            (merge_id, made.principal, made.month, made.bits, made.at),
        )
        cursor.executemany(
            "insert into index_merge_part (merge_id, part, key, version_id, sha256) values (%s, %s, %s, %s, %s)",
            [(merge_id, part.number, part.key, part.version_id, part.sha256) for part in made.parts],
        )
        cursor.executemany(
            """insert into index_merge_run (merge_id, number, exchange_id, kind, version_id, is_whole)
               values (%s, %s, %s, %s, %s, %s)""",
            [
                (merge_id, member.number, run.exchange_id, run.kind, run.version_id, member.is_whole)
                for run, member in runs
            ],
        )


def drop(conn: Connection, merge_ids: Set[str]) -> None:
    """Drop these merges: nobody asks them any more, and their objects go with the next sweep."""
    if merge_ids:
        conn.execute("delete from index_merge where merge_id = any(%s::uuid[])", (sorted(merge_ids),))
